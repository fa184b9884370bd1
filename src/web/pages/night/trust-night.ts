import type { Pool } from 'pg'
import { type ListedIncident, listIncidents } from '../../../alerts/incidents/list-incidents.ts'
import { briefRuns, latestOf } from '../../../ledger/nights/latest.ts'
import type { Slot } from '../../../ledger/nights/slots.ts'
import { evidenceOfRuns, type LatestOutcome, parityOfRuns } from '../../../monitoring/evidence.ts'
import type { Outcome } from '../../../monitoring/outcomes/record.ts'
import { type Trust, trust } from '../../../monitoring/trust/trust.ts'
import type { Project } from '../../../project/project.ts'
import { champion } from '../../../registry/version-records.ts'

interface NightOfScores {
  slot: Slot
  features: Slot | undefined
  outcome: Outcome | undefined
}

/** May the scores of a night be used? By the rules of the overview, which asks the same about the newest list. */
export async function trustOf(
  pool: Pool,
  { timezone, models }: Project,
  { slot, features, outcome }: NightOfScores,
  now: Date,
): Promise<Trust> {
  const ids = [slot.run, slot.published_run, features?.run].filter((id) => id != null)
  const [runs, live, [newest], open] = await Promise.all([
    briefRuns(pool, ids),
    champion(pool, slot.name),
    latestOf(pool, [{ kind: 'scores', name: slot.name }], now),
    openIncidents(pool, [slot.name, features?.name], now),
  ])
  const run = (id: string | null | undefined) => (id == null ? undefined : runs.get(id))
  const published = run(slot.published_run)
  const [evidence, parity] = await Promise.all([
    published && evidenceOfRuns(pool, [published.id]),
    published?.features_run == null ? undefined : parityOfRuns(pool, [published.features_run]),
  ])
  // What is open about later nights says nothing about an older list.
  const isNewest = newest?.published === undefined || newest.published.id === slot.id
  const concerned = open.filter(
    ({ nights }) => isNewest || nights.some(({ partition }) => partition === slot.partition),
  )
  const found = trust({
    now,
    timezone,
    latest: { last: slot, published: slot.published_run === null ? undefined : slot, next: undefined },
    features: features && { slot: features, run: run(features.run) },
    run: run(slot.run),
    published,
    champion: live?.version,
    evidence: published && evidence?.get(published.id),
    parity: published?.features_run == null ? undefined : parity?.get(published.features_run),
    outcome: outcome && outcomeOf(outcome),
    limits: models[slot.name],
    open: concerned,
  })
  // Of a night without scores, what is missing says it all.
  return slot.published_run === null ? { ...found, reasons: [] } : found
}

async function openIncidents(
  pool: Pool,
  [model, view]: [string, string | undefined],
  now: Date,
): Promise<ListedIncident[]> {
  const ofModel = await listIncidents(pool, now, { subject: model })
  const ofView = view === undefined ? [] : await listIncidents(pool, now, { subject: view })
  return [
    ...ofModel.filter(({ subjectKind }) => subjectKind === 'model'),
    ...ofView.filter(({ subjectKind }) => subjectKind === 'view'),
  ]
}

function outcomeOf({ model, partition, state, report, matures_at, note, looked }: Outcome): LatestOutcome {
  return {
    model,
    measured: state === 'measured' && report !== null ? { partition, report } : null,
    next: state === 'immature' ? { partition, matures_at, note, looked: looked === true } : null,
  }
}
