import { describe, expect, test } from 'vitest'
import type { Incident } from '../../../src/alerts/incidents/incident-record.ts'
import { recover } from '../../../src/alerts/incidents/report-recovery.ts'
import { nextCommands } from '../../../src/alerts/letters/next-commands.ts'
import { INCIDENT_KINDS, type IncidentKind } from '../../../src/failures/incident-kinds.ts'
import { drifting, facts, outage, recovery, SETTINGS } from '../sample.ts'

import { html, incident, NOW, text } from './letter-case.ts'

describe('the cause of a mail', () => {
  const causeOf = (message: string, kind: IncidentKind = 'drift') =>
    /^Cause: (.*)$/m.exec(
      text([
        incident(
          drifting('churn', { age: 3 }, { failure: { class: kind, message, anchor: '#', evidence: {} } }),
        ),
      ]),
    )?.[1]
  const moved =
    'capital_gain moved: PSI 0.2946, threshold 0.1; also age, hours_per_week, education_num and 4 more'
  const scores = 'the scores moved too (mean 0.199 before, 0.297 now)'
  const compared = 'compared with the nights of 2026-10-01 to 2026-10-21'

  test('of drift says whole clauses alone, the essentials first', () => {
    expect(causeOf(`age moved: PSI 3, threshold 0.1; ${scores}; ${compared}`)).toBe(
      `age moved: PSI 3, threshold 0.1; ${scores}; ${compared}`,
    )
    expect(causeOf(`${moved}; ${scores}; ${compared}`)).toBe(`${moved}; ${scores}`)
    const long = Array.from({ length: 12 }, (_, index) => `column_number_${index}`).join(', ')
    expect(causeOf(`age moved: PSI 3, threshold 0.1; also ${long}; ${scores}; ${compared}`)).toBe(
      `age moved: PSI 3, threshold 0.1; ${scores}; ${compared}`,
    )
  })

  test('of a column of dates has dates below it', () => {
    const of = drifting('churn', { since: 3 })
    const moved = of.drift?.moved.map((column) => ({
      ...column,
      type: 'DATE',
      mean: 1_663_000_000,
      reference: { ...column.reference, mean: 1_662_000_000 },
    }))
    const told = of.drift && moved && { ...of, drift: { ...of.drift, moved } }
    expect(told && text([incident(told)])).toContain('mean 2022-09-01 before, 2022-09-12 now')
  })

  test('is cut behind a whole word, and a word of its own is cut anywhere', () => {
    expect(causeOf('expected a whole word, '.repeat(20), 'contract')).toBe(
      `${'expected a whole word, '.repeat(7)}expected a whole...`,
    )
    expect(causeOf('x'.repeat(400))).toBe(`${'x'.repeat(177)}...`)
  })
})

describe('the mail about one incident', () => {
  test('says everything that the one who wakes up asks', () => {
    expect(text([incident(facts())])).toBe(`No scores of churn for 2026-11-22 (late-data).
Readers keep 2026-11-21, published 25 h 53 min ago.
Cause: source calls is late: its newest row is of 2026-11-20 23:58 CET, required is 2026-11-21 22:00 CET or later

Act on incident 12:
  https://nightshift.example.com/incidents/12#act

NEXT THREE COMMANDS
See the run: steps, failed expectations, rows:
  npx nightshift show kf7x2m9q
Once the data is there, re-run the night:
  npx nightshift retry kf7x2m9q
Or give up this night:
  npx nightshift skip churn:2026-11-22 --reason 'the night is not needed'

WHAT FAILED
Model: churn - Probability that a customer cancels within 30 days
Run: kf7x2m9q, failed
  https://nightshift.example.com/runs/kf7x2m9q
Schedule: nightly
Since: 2026-11-22 02:00 CET (2 h 1 min ago)
Deadline: 2026-11-22 06:00 CET (in 1 h 59 min)

WHO IS AFFECTED
- CRM campaign "Stay" (daily 07:00)
- Call centre desktop

WHAT STILL HOLDS
Last good: as_of=2026-11-21, 5,012 rows, version 3, published 2026-11-21 02:07 CET
File: warehouse/scores/churn/as_of=2026-11-21/scores.parquet

ABOUT THE CAUSE
missing file: data/calls/day=2026-11-21/part-0.parquet

WHAT WAS TRIED
- Attempt 1, 2026-11-22 02:01 CET: failed after 37 s: source calls: no file matches data/calls/day=2026-11-21/*.parquet
- Attempt 2, 2026-11-22 02:02 CET: failed after 37 s
- Attempt 3, 2026-11-22 02:03 CET: failed after 37 s

HELP
Runbook: churn, late-data
  https://nightshift.example.com/models/churn/runbook#late-data
Owner: churn-team@example.com

Incident #12, opened 2026-11-22 04:00 CET.
This mail repeats every 4 h until the incident closes. If you are working on it, stop the repeats: npx nightshift ack 12 --by oncall@example.com
`)
  })

  test('about a view is about its models: which are not scored, which scores their readers have, and whose they are', () => {
    const good = facts().lastGood
    const waiting = [
      { model: 'churn', consumers: ['call centre'], lastGood: good },
      { model: 'upsell', consumers: ['shop'], lastGood: undefined },
    ]
    const view = { subject: 'activity', subjectKind: 'view', models: ['churn', 'upsell'], waiting } as const
    const of = facts({ ...view, models: [...view.models] })
    const mail = text([incident(of)])
    expect(mail.split('\n').slice(0, 2)).toEqual([
      'No features of activity for 2026-11-22 (late-data).',
      'churn and upsell are not scored. Their readers keep older scores; the oldest are of 2026-11-21 (churn), published 25 h 53 min ago. Readers of upsell have no scores.',
    ])
    expect(mail).toContain('WHO IS AFFECTED\n- call centre (reads churn)\n- shop (reads upsell)\n')
    expect(mail).toContain(
      'churn: scores of 2026-11-21, version 3, published 2026-11-21 02:07 CET (25 h 53 min ago)\nupsell: no scores\n',
    )
    expect(mail).toContain(
      'Runbook: churn, late-data\n  https://nightshift.example.com/models/churn/runbook#late-data',
    )
    const one = facts({ ...view, models: ['churn'], waiting: waiting.slice(0, 1) })
    expect(text([incident(one)])).toContain(
      '\nchurn is not scored: its readers keep the scores of 2026-11-21, published 25 h 53 min ago.\n',
    )
  })

  test('says of a night that was published before that its output is the earlier one', () => {
    const mail = text([incident(facts({ isPublished: true }))])
    expect(mail.split('\n').slice(0, 2)).toEqual([
      'Scores of churn for 2026-11-22 could not be computed again (late-data).',
      'Readers keep the earlier scores of 2026-11-22.',
    ])
  })

  test('says of scores outside their range what was counted, in figures that people read', () => {
    const check = {
      id: 'score.range',
      kind: 'score.range',
      column: 'score',
      passed: false,
      observed: 1154,
      bound: '0 to 0.2',
      message:
        'expected every score within 0 to 0.2, got: 0.1 to 0.9933071490757153, 1154 of 5012 rows outside',
      samples: [{ customer_id: '17', score: '0.9933071490757153' }],
    }
    const held = facts({ state: 'held', failure: { ...facts().failure, class: 'model' }, checks: [check] })
    const mail = text([incident(held)])
    expect(mail).toContain(
      '- score.range: expected every score within 0 to 0.2, got: 0.1 to 0.9933, 1154 of 5012 rows outside\n- a row: customer_id 17, score 0.9933',
    )
  })

  test('says what was waited for where something waited', () => {
    const [tried] = facts().attempts
    if (tried === undefined) throw new Error('no attempt')
    const waited = facts({ attempts: [{ ...tried, outcome: 'waiting' }] })
    expect(text([incident(waited)])).toContain('- Waited for data until 2026-11-22 04:00 CET.\n')
  })

  test('names the null jump, its bound and sample rows where a run is held', () => {
    const message = 'column plan: null rate 0.62 is above 0.05'
    const check = {
      id: 'plan.max_null_rate',
      kind: 'column.max_null_rate',
      column: 'plan',
      passed: false,
      observed: 0.62,
      bound: 0.05,
      message,
      samples: [{ customer_id: '17', plan: 'null' }],
    }
    const held = facts({
      state: 'held',
      failure: { class: 'contract', message, anchor: '#contract', evidence: { checks: [check] } },
      checks: [check],
    })
    const mail = text([incident(held)])
    expect(mail).toMatch(/^New scores of churn for 2026-11-22 are held back \(contract\)\./)
    expect(mail).toContain('Expectation: plan.max_null_rate\n- a row: customer_id 17, plan null\n')
    expect(mail).toContain(
      "npx nightshift release kf7x2m9q --reason 'the data is right because ...' --by oncall@example.com",
    )
  })

  test('says plainly that readers have nothing, that nobody is named, and offers no link without a base URL', () => {
    const mail = text([
      incident(facts({ lastGood: undefined, consumers: [], baseUrl: undefined, runbook: undefined })),
    ])
    expect(mail).toContain('Nothing was ever published: readers have no scores.')
    expect(mail).toContain('models/churn/model.yaml lists no consumers.')
    expect(mail).not.toContain('http')
    expect(mail).not.toContain('Runbook')
  })

  test('speaks of another night once the newest one is good again', () => {
    const two = incident(facts({ partition: '2026-11-23', run: 'second22' }))
    const first = incident(facts()).nights[0]
    const nights = first === undefined ? two.nights : [first, ...two.nights]
    const left = recover({ ...two, nights }, recovery({ partition: '2026-11-23' }), NOW)
    expect(left?.facts).toMatchObject({ partition: '2026-11-22', run: 'kf7x2m9q' })
    expect(recover({ ...two, nights }, recovery({ partition: '2026-11-30' }), NOW)).toBeUndefined()
  })
})

describe('a mail says each thing once', () => {
  const count = (text: string, part: string) => text.split(part).length - 1

  test('the cause of late data, with its times in one zone', () => {
    const check = {
      id: 'expect.fresh.calls',
      kind: 'fresh',
      column: undefined,
      passed: false,
      observed: '2026-11-20T22:58:12Z',
      bound: '2026-11-21T21:00:00Z',
      message:
        'source calls: expected its newest row to be no older than 9h at the as-of (2026-11-21T21:00:00Z or later), got: 2026-11-20T22:58:12Z',
      samples: [],
    }
    const mail = text([incident(facts({ checks: [check] }))])
    expect(count(mail, 'source calls is late')).toBe(1)
    expect(count(mail, '23:58')).toBe(1)
    expect(mail).not.toMatch(/\d{2}:\d{2}Z|\d{2}:\d{2}:\d{2}/)
    expect(mail).toContain('Expectation: expect.fresh.calls\n')
    expect(count(mail, 'Readers keep')).toBe(1)
    expect(count(mail, 'https://nightshift.example.com/runs/kf7x2m9q')).toBe(1)
  })

  test('a source that the first lines only count is named', () => {
    const late = [
      { source: 'calls', newest: '2026-11-20T22:58:12Z', needed: '2026-11-21T21:00:00Z' },
      { source: 'usage', newest: null, needed: '2026-11-21T21:00:00Z' },
    ]
    const mail = text([incident(facts({ failure: { ...facts().failure, evidence: { late } } }))])
    expect(mail).toContain('- source usage, newest none, needed 2026-11-21 22:00 CET\n')
    expect(mail).not.toContain('- source calls')
  })

  test('a message that the first lines cut goes on below, and no part of it stands twice', () => {
    const about = (message: string) =>
      text([incident(facts({ failure: { class: 'bug', message, anchor: '#bug', evidence: {} } }))])
    const long = about(`the file ${'x'.repeat(200)} is not a Parquet file of 0.1234567890123 MB`)
    expect(long).toMatch(/Cause: the file x+\.\.\.\n/)
    expect(long).toMatch(/ABOUT THE CAUSE\n> \.\.\.x+ is not a Parquet file of 0\.1235 MB\n/)
    const lines = about(`one engine said:\n  ${'word '.repeat(60)}\n  and the last line`)
    expect(lines).toMatch(/ABOUT THE CAUSE\n> \.\.\. word/)
    expect(count(lines, 'word')).toBe(60)
    expect(count(lines, 'and the last line')).toBe(1)
  })

  test('a problem of a file that is the cause is not repeated as evidence', () => {
    const problem = {
      file: 'features/activity/features.sql',
      line: 1,
      column: 25,
      message: 'expected the name of a column, got: amuont',
      severity: 'error',
    }
    const message = `${problem.file}:1:25: ${problem.message}`
    const failure = {
      class: 'contract' as const,
      message,
      anchor: '#contract',
      evidence: { problems: [problem] },
    }
    expect(text([incident(facts({ failure }))])).not.toContain('ABOUT THE CAUSE')
  })

  test('a drift with its reference and its mean scores, in the first lines if there is room', () => {
    const about = (message: string) =>
      drifting(
        'churn',
        { spend: 0.4 },
        { failure: { class: 'drift', message, anchor: '#drift', evidence: {} } },
      )
    const whole = text([
      incident(
        about(
          'spend moved: PSI 0.4, threshold 0.1; the scores are within the usual range (mean 40 before, 52 now); compared with holdout of 3f2a9c0b1d',
        ),
      ),
    ])
    const [lead = '', details = ''] = whole.split('BEFORE AND AFTER')[0]?.split('WHAT MOVED') ?? []
    expect(lead).toContain('compared with holdout of 3f2a9c0b1d')
    expect(details).not.toMatch(/Compared with|usual range|Mean:/)
    const cut = text([incident(about('spend moved: PSI 0.4, threshold 0.1'))])
    expect(cut).toContain('Compared with: holdout of 3f2a9c0b1d\n')
    expect(cut).toMatch(/They are within the usual range\.\nscore: .*\nMean: 40 before, 52 now\n/)
  })

  test('a missed deadline that joins says that it is new, and no second night', () => {
    const joined = incident(facts())
    const nights = joined.nights.map((night) => ({ ...night, late: true }))
    expect(text([{ ...joined, nights }], 'joined').split('\n')[0]).toBe(
      'Past its deadline: no scores of churn for 2026-11-22 (late-data).',
    )
  })
})

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

describe('the mail about many incidents', () => {
  const many = Array.from({ length: 40 }, (_, index) => incident(outage(index + 1), index + 20))
  const [first, ...rest] = many
  const group: [Incident, ...Incident[]] = first === undefined ? [incident(facts())] : [first, ...rest]

  test('names the one cause that they share, and acknowledges them all with one command', () => {
    const mail = text(group)
    expect(mail.split('\n').slice(0, 3)).toEqual([
      '40 incidents are open: model-01, model-02, model-03 and 37 more.',
      'Readers keep the last good partitions; the oldest was published 25 h 53 min ago (model-01).',
      'All have the same cause, transient: connect ECONNREFUSED 10.0.0.7:6379 (run kd001qx7)',
    ])
    expect(mail).toContain('npx nightshift ack 20-59 --by oncall@example.com')
    expect(mail.match(/npx nightshift show/g)).toHaveLength(40)
  })

  test('says what is closed and what is not', () => {
    const partly = group.map((each, index) =>
      index === 3
        ? each
        : { ...each, ...recover(each, recovery({ subject: each.subject }), NOW), closedAt: NOW },
    )
    const [head, ...others] = partly
    if (head === undefined) throw new Error('no incidents')
    expect(text([head, ...others], 'partly cleared').split('\n')[0]).toBe(
      '39 of 40 incidents are closed. Still open: model-04.',
    )
  })

  test('stays below the 102 kB at which Gmail cuts, however many there are', () => {
    const long = { consumers: Array.from({ length: 30 }, () => 'c'.repeat(200)) }
    const all = Array.from({ length: 1000 }, (_, index) => incident(outage(index, long), index))
    const [head, ...others] = all
    if (head === undefined) throw new Error('no incidents')
    expect(Buffer.byteLength(html([head, ...others]))).toBeLessThan(100_000)
    expect(text([head, ...others])).toContain('940 more: npx nightshift incidents')
    const drifts = all.map(({ id }) =>
      incident(drifting(`model-${id}`, { plan: 2, ['c'.repeat(100)]: 1, spend: 1 }), id),
    )
    const [drift, ...more] = drifts
    if (drift === undefined) throw new Error('no incidents')
    expect(Buffer.byteLength(html([drift, ...more]))).toBeLessThan(100_000)
    expect(text([drift, ...more])).toContain('and 990 more incidents: npx nightshift incidents')
  })

  test('about a column that alerts at once says the night, and counts no nights of one', () => {
    const given = drifting('churn', { plan: 1 })
    const since = (persist: string, nights: number) =>
      given.drift && {
        ...given,
        drift: {
          ...given.drift,
          persist,
          moved: given.drift.moved.map((column) => ({ ...column, since: '2026-11-22', nights })),
        },
      }
    const [once, often] = [since('1 of 1', 1), since('2 of 3', 2)]
    if (once === undefined || often === undefined) throw new Error('no drift')
    expect(text([incident(once)])).toContain('on 2026-11-22\n')
    expect(text([incident(once)])).not.toContain('last 1 nights')
    expect(text([incident(once)])).toContain('such as a price change or a campaign:')
    expect(text([incident(often)])).toContain('since 2026-11-22; on 2 of the last 3 nights')
  })

  describe('of which some drift', () => {
    const drifts = [
      incident(facts(), 20),
      incident(drifting('stay', { spend: 0.4, calls: 0.2, tenure: 0.15 }), 21),
      incident(drifting('upsell', { plan: 12.6, spend: 0.3 }), 22),
      incident(drifting('reply', { calls: 0.9 }), 23),
    ] satisfies Incident[]
    const [failed, stay, upsell, reply] = drifts
    if (failed === undefined || stay === undefined || upsell === undefined || reply === undefined)
      throw new Error('no incidents')

    test('shows before and after of the largest shifts, and says which are left to the page', () => {
      const mail = text([failed, stay, upsell, reply])
      const [, section = ''] = /\n\nBEFORE AND AFTER\n(.*?)\n\n/s.exec(mail) ?? []
      const lines = section.split('\n')
      expect(lines.filter((line) => line.includes(' for 2026-11-22, '))).toEqual([
        'upsell for 2026-11-22, plan: PSI 12.6, threshold 0.1',
        'reply for 2026-11-22, calls: PSI 0.9, threshold 0.1',
        'stay for 2026-11-22, spend: PSI 0.4, threshold 0.1',
        'upsell for 2026-11-22, spend: PSI 0.3, threshold 0.1',
        'stay for 2026-11-22, calls: PSI 0.2, threshold 0.1',
        'stay for 2026-11-22, score (the score): it is within the usual range',
      ])
      expect(lines).toContain(
        'upsell, plan: basic 75 % → 25 %, pro 25 % → 75 %; holdout of 3f2a9c0b1d, 400 rows, 2026-11-22, 400 rows',
      )
      expect(lines.slice(-7)).toEqual([
        'This mail shows the 6 largest of 9 shifts. The others are on the page of their night:',
        'stay: tenure',
        '  https://nightshift.example.com/nights/stay/2026-11-22',
        'upsell: score',
        '  https://nightshift.example.com/nights/upsell/2026-11-22',
        'reply: score',
        '  https://nightshift.example.com/nights/reply/2026-11-22',
      ])
    })

    test('says the same to whoever does not see the pictures, each with an id of its own', () => {
      const page = html([failed, stay, upsell, reply])
      const pictures = [...page.matchAll(/<img src="cid:([^"]+)" alt="([^"]+)"/g)]
      expect(new Set(pictures.map(([, id]) => id)).size).toBe(6)
      for (const [, , alt = ''] of pictures) expect(text([failed, stay, upsell, reply])).toContain(alt)
    })

    test('names the command where the pages have no address', () => {
      const offline = incident(drifting('stay', { a: 3, b: 2, c: 1 }, { baseUrl: undefined }), 21)
      expect(text([failed, offline])).toContain('stay: c: npx nightshift report stay --as-of 2026-11-22')
    })

    test('shows no picture of what is closed, and none where nothing drifts', () => {
      const closed = { ...stay, ...recover(stay, recovery({ subject: 'stay' }), NOW), closedAt: NOW }
      expect(text([failed, closed], 'partly cleared')).not.toContain('BEFORE AND AFTER')
      expect(text(group)).not.toContain('BEFORE AND AFTER')
    })
  })
})
