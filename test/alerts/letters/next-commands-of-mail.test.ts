import { describe, expect, test } from 'vitest'
import { recover } from '../../../src/alerts/incidents/report-recovery.ts'
import { nextCommands } from '../../../src/alerts/letters/next-commands.ts'
import { INCIDENT_KINDS, type IncidentKind } from '../../../src/failures/incident-kinds.ts'
import { drifting, facts, outage, recovery, SETTINGS } from '../sample.ts'

import { html, incident, NOW, text } from './letter-case.ts'

describe('the way from a mail to the pages', () => {
  const hrefs = (page: string) => [...page.matchAll(/<a [^>]*?href="([^"]+)"[^>]*>([^<]+)<\/a>/g)]

  test('is one button, and beside each command what does the same there', () => {
    const links = hrefs(html([incident(facts())]))
    expect(links.slice(0, 4).map(([, href, words]) => [words, href])).toEqual([
      ['Act on incident 12', 'https://nightshift.example.com/incidents/12#act'],
      ['Open the run', 'https://nightshift.example.com/runs/kf7x2m9q'],
      ['Run it again on its page', 'https://nightshift.example.com/runs/kf7x2m9q#act'],
      ['Skip it on its page', 'https://nightshift.example.com/nights/churn/2026-11-22#act'],
    ])
    expect(html([incident(facts())]).match(/class="button"/g)).toHaveLength(1)
  })

  test('is not said twice where two commands have one page', () => {
    const links = hrefs(html([incident(drifting('churn', { plan: 1 }))])).map(([, , words]) => words)
    expect(links.filter((words) => words === 'Open the night')).toHaveLength(1)
  })

  test('leads to the page of a view, whose name a model may have', () => {
    const links = hrefs(html([incident(facts({ subjectKind: 'view', subject: 'activity' }))]))
    expect(links.map(([, href]) => href)).toContain(
      'https://nightshift.example.com/nights/activity/2026-11-22?kind=features#act',
    )
  })

  test('leads from several incidents to their list', () => {
    const page = html([incident(facts(), 12), incident(outage(1), 13)])
    expect(hrefs(page)[0]?.slice(1)).toEqual([
      'https://nightshift.example.com/incidents?state=open',
      'Act on the 2 open incidents',
    ])
  })

  test('is not there where pages have no address', () => {
    expect(html([incident(facts({ baseUrl: undefined }))])).not.toContain('href')
  })
})

describe('what has to be started first', () => {
  const startOf = (changes: Parameters<typeof text>[2], of = facts()) =>
    /START FIRST\n([\s\S]*?)\n\n/.exec(text([incident(of)], 'opened', changes))?.[1]

  test('is said where no worker or no scheduler is alive', () => {
    expect(startOf({ alive: { worker: true, scheduler: true, untaken: [] } })).toBeUndefined()
    expect(startOf({ alive: { worker: false, scheduler: true, untaken: [] } })).toBe(
      'No worker is running: what is requested waits until one is. Start one:\n  npx nightshift up',
    )
    expect(startOf({ alive: { worker: true, scheduler: false, untaken: [] } })).toBe(
      'No scheduler is running: no night starts by its schedule. Start one:\n  npx nightshift up',
    )
    expect(startOf({ alive: { worker: false, scheduler: false, untaken: [] } })).toBe(
      'No worker is running: what is requested waits until one is. No scheduler is running: no night starts by its schedule. Start both:\n  npx nightshift up',
    )
    const unscheduled = {
      alive: { worker: true, scheduler: false, untaken: [] },
      settings: { ...SETTINGS, isScheduled: false },
    }
    expect(startOf(unscheduled)).toBeUndefined()
  })

  test('is said of the pages where base_url leads to the reader’s own machine', () => {
    expect(startOf({}, facts({ baseUrl: 'http://localhost:8080' }))).toBe(
      'The links of this mail open only on host scores-1, and only while npx nightshift up or npx nightshift web runs there: alerts.base_url in nightshift.yaml is http://localhost:8080.',
    )
  })

  test('is not said where nothing is asked to run', () => {
    const alive = { worker: false, scheduler: false, untaken: [] }
    expect(startOf({ alive }, drifting('churn', { plan: 1 }))).toBeUndefined()
    const closed = { ...incident(facts()), ...recover(incident(facts()), recovery(), NOW), closedAt: NOW }
    expect(text([closed], 'cleared', { alive })).not.toContain('START FIRST')
  })

  test('is said of many incidents once', () => {
    const mail = text([incident(facts(), 12), incident(outage(1), 13)], 'opened', {
      alive: { worker: false, scheduler: true, untaken: [] },
    })
    expect(mail.match(/No worker is running/g)).toHaveLength(1)
  })
})

describe('the next commands', () => {
  test.each(INCIDENT_KINDS.map((kind) => ({ kind })))(
    'of $kind are three, and ready to paste',
    ({ kind }: { kind: IncidentKind }) => {
      for (const state of ['failed', 'held', 'published'] as const) {
        for (const run of ['kf7x2m9q', undefined]) {
          const of = facts({ state, run, failure: { class: kind, message: 'm', anchor: '#a', evidence: {} } })
          const commands = nextCommands(incident(of), 'oncall@example.com').map(({ command }) => command)
          expect(commands).toHaveLength(3)
          for (const command of commands)
            expect(command).toMatch(/^npx nightshift [a-z]+( [\w.@=/:-]+| '[^']*')*$/)
        }
      }
    },
  )

  test('cannot be turned into other commands by a name', () => {
    const of = facts({
      run: "x'; rm -rf / #",
      subject: '$(reboot)',
      state: 'held',
      failure: { ...facts().failure, class: 'contract' },
      checks: [
        {
          id: 'rows.min',
          kind: 'rows.min',
          column: undefined,
          passed: false,
          observed: 1,
          bound: 2,
          message: 'm',
          samples: [],
        },
      ],
    })
    const [show, release] = nextCommands(incident(of), 'on$call@example.com')
    expect(show?.command).toBe(`npx nightshift show 'x'\\''; rm -rf / #'`)
    expect(release?.command).toMatch(/--by 'on\$call@example\.com'$/)
  })

  test('repair all nights where there are several', () => {
    const one = incident(facts())
    const two = { ...one, nights: [...one.nights, ...incident(facts({ partition: '2026-11-23' })).nights] }
    expect(nextCommands(two, 'o@example.com').map(({ command }) => command)).toEqual([
      'npx nightshift show kf7x2m9q',
      'npx nightshift retry kf7x2m9q',
      'npx nightshift backfill churn --from 2026-11-22 --to 2026-11-23 --failed',
    ])
  })
})
