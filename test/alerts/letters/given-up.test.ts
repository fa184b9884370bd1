import { describe, expect, test } from 'vitest'
import type { FailureFacts, RecoveryFacts } from '../../../src/alerts/incidents/incident-facts.ts'
import type { Incident } from '../../../src/alerts/incidents/incident-record.ts'
import { recover } from '../../../src/alerts/incidents/report-recovery.ts'
import type { Occasion } from '../../../src/alerts/letters/thread.ts'
import { facts, recovery } from '../sample.ts'
import { text as said } from './letter-case.ts'

const NOW = new Date('2026-11-28T03:00:35Z')
const REASON = 'catch_up latest: a newer slot is due (2026-11-28)'

function open(of: FailureFacts, partitions: string[], id = 12): Incident {
  return {
    id,
    subject: of.subject,
    subjectKind: of.subjectKind,
    kind: of.failure.class,
    openedAt: new Date('2026-11-28T03:00:05Z'),
    closedAt: undefined,
    ackedAt: undefined,
    ackedBy: undefined,
    facts: of,
    nights: partitions.map((partition) => ({
      partition,
      run: null,
      slot: `${of.subject}:${partition}`,
      state: 'expected',
      failedAt: '2026-11-28T03:00:05Z',
      late: true,
      recovered: null,
    })),
  }
}

/** The incident after its nights ended, closed. */
function closed(incident: Incident, ...ends: Partial<RecoveryFacts>[]): Incident {
  let after = incident
  for (const end of ends) {
    const detail = recover(after, { ...recovery(), rows: undefined, run: undefined, ...end }, NOW)
    after = { ...after, ...detail }
  }
  return { ...after, closedAt: NOW }
}

const missed = facts({
  state: 'expected',
  run: undefined,
  attempts: [],
  failure: {
    class: 'deadline',
    message: `it will not be published: ${REASON}`,
    anchor: '#deadline',
    evidence: {},
  },
  lastGood: {
    partition: '2026-11-25',
    publishedAt: '2026-11-25T03:00:35Z',
    path: 'warehouse/scores/churn/as_of=2026-11-25/scores.parquet',
    rows: 10,
    version: 1,
  },
})

const bySchedule = (partition: string) =>
  ({ partition, how: 'skipped', by: 'the schedule', reason: REASON }) as const

function text(incidents: [Incident, ...Incident[]], occasion: Occasion): string {
  return said(incidents, occasion, { now: NOW })
}

describe('nights that the schedule gives up', () => {
  const given = closed(
    open(missed, ['2026-11-26', '2026-11-27']),
    bySchedule('2026-11-26'),
    bySchedule('2026-11-27'),
  )

  test('are told as not computed, with what readers keep, why, and how to have them', () => {
    const mail = text([given], 'opened')
    expect(mail).toMatch(
      /^Scores of churn for 2026-11-27 and 1 earlier are not computed, skipped by the schedule; readers keep 2026-11-25\.\n/,
    )
    expect(mail).toContain(`Why: ${REASON}`)
    expect(mail).toContain('npx nightshift backfill churn --from 2026-11-26 --to 2026-11-27')
    expect(mail).not.toMatch(/resolved|nothing to do|published by|are settled/i)
  })

  test('are not resolved among others that are well', () => {
    const good = closed(open(facts({ subject: 'ltv' }), ['2026-11-27'], 13), { partition: '2026-11-27' })
    for (const occasion of ['opened', 'cleared'] as const) {
      const mail = text([given, good], occasion)
      expect(mail).toMatch(/^Nights of churn are not computed: they were skipped/)
      expect(mail).toContain('The other 1 incidents are closed and well.')
      expect(mail).toContain('#12 churn: not computed')
      expect(mail).toContain('#13 ltv: clear')
      expect(mail).not.toMatch(/resolved|nothing to do/i)
    }
  })

  test('are told beside those of the same incident that were computed', () => {
    const both = closed(open(missed, ['2026-11-26', '2026-11-27']), bySchedule('2026-11-26'), {
      partition: '2026-11-27',
      lastGood: missed.lastGood && { ...missed.lastGood, partition: '2026-11-27' },
    })
    expect(text([both], 'cleared')).toMatch(
      /^Scores of churn for 2026-11-26 are not computed, skipped by the schedule; those for 2026-11-27 are settled; readers keep 2026-11-27\.\n/,
    )
  })

  test('of a view are computed by refresh, where readers have nothing that is said', () => {
    const view = { ...missed, subject: 'activity', subjectKind: 'view', lastGood: undefined } as const
    const mail = text([closed(open(view, ['2026-11-27']), bySchedule('2026-11-27'))], 'opened')
    expect(mail).toMatch(
      /^Features of activity for 2026-11-27 are not computed, skipped by the schedule; readers have no features\.\n/,
    )
    for (const command of ['refresh activity --as-of 2026-11-27', 'status activity', 'doctor'])
      expect(mail).toContain(`\n  npx nightshift ${command}\n`)
  })
})

test('a night that a person gives up names the person and the reason', () => {
  const mail = text(
    [
      closed(open(missed, ['2026-11-27']), {
        partition: '2026-11-27',
        how: 'skipped',
        by: 'ann@example.com',
        reason: 'bank holiday',
      }),
    ],
    'cleared',
  )
  expect(mail).toMatch(
    /^Scores of churn for 2026-11-27 are not computed, skipped by ann@example\.com; readers keep/,
  )
  expect(mail).toContain('Why: bank holiday')
})

describe('what a mail about a view names exists', () => {
  const view: Partial<FailureFacts> = {
    subject: 'activity',
    subjectKind: 'view',
    consumers: [],
    runbook: undefined,
  }

  test.each([
    [[], 'No model is scored on this view.'],
    [['churn'], 'models/churn/model.yaml lists no consumers.'],
    [['churn', 'ltv'], 'models/churn/model.yaml, models/ltv/model.yaml list no consumers.'],
  ])('with the models %j', (models, said) => {
    const mail = text([open(facts({ ...view, models }), ['2026-11-27'])], 'opened')
    expect(mail).toContain(said)
    expect(mail).not.toContain('features/activity/view.yaml')
  })

  test('--by takes the reader, or is left open where the project names other people', () => {
    const held: Partial<FailureFacts> = {
      ...view,
      state: 'held',
      failure: { ...facts().failure, class: 'contract' },
    }
    const commands = (people: string[]) => text([open(facts({ ...held, people }), ['2026-11-27'])], 'opened')
    expect(commands([])).toContain('--by oncall@example.com')
    expect(commands(['oncall@example.com'])).toContain('--by oncall@example.com')
    const others = commands(['ann@example.com'])
    expect(others).toContain('--by WHO')
    expect(others).not.toContain('--by oncall@example.com')
  })
})
