import type { Pool } from 'pg'
import { listIncidents } from '../../alerts/incidents/list-incidents.ts'
import { briefRuns, latestOf } from '../../ledger/nights/latest.ts'
import { featuresOfSlots, type Slot } from '../../ledger/nights/slots.ts'
import type { Project } from '../../project/project.ts'
import { champions, evidenceOfRuns, type LatestOutcome, parityOfRuns } from '../evidence.ts'
import { type Outcome, outcomesOfNights } from '../outcomes/record.ts'
import { type Trust, trust } from './trust.ts'

/**
 * May the scores of these nights be used? By slot, by the rules of the overview, which asks the same about the newest list. Slots are of
 * scores. A fixed number of queries.
 */
export async function trustOfNights(
  pool: Pool,
  { timezone, models }: Pick<Project, 'timezone' | 'models'>,
  slots: Slot[],
  now: Date,
): Promise<Map<number, Trust>> {
  const names = [...new Set(slots.map(({ name }) => name))]
  const nights = slots.map((slot) => ({ ...slot, view: models[slot.name]?.view ?? '' }))
  const features = await featuresOfSlots(pool, nights)
  const ids = [...slots, ...[...features.values()].flatMap(({ slot }) => slot ?? [])].flatMap((slot) => [
    slot.run,
    slot.published_run,
  ])
  const [runs, live, latest, incidents, outcomes] = await Promise.all([
    briefRuns(
      pool,
      ids.filter((id) => id !== null),
    ),
    champions(pool),
    latestOf(pool, names, now),
    listIncidents(pool, now),
    outcomesOfNights(pool, slots),
  ])
  const run = (id: string | null | undefined) => (id == null ? undefined : runs.get(id))
  const published = slots.flatMap((slot) => run(slot.published_run) ?? [])
  const [evidence, parity] = await Promise.all([
    evidenceOfRuns(
      pool,
      published.map(({ id }) => id),
    ),
    parityOfRuns(
      pool,
      published.flatMap(({ features_run }) => features_run ?? []),
    ),
  ])
  const newest = new Map(latest.map((each) => [each.name, each.published]))
  const trustOf = (slot: Slot): Trust => {
    const list = run(slot.published_run)
    const used = features.get(slot.id)
    // What is open about later nights says nothing about an older list.
    const isNewest = (newest.get(slot.name)?.id ?? slot.id) === slot.id
    const open = incidents.filter(
      ({ subject, subjectKind, nights }) =>
        subject === (subjectKind === 'model' ? slot.name : used?.view) &&
        (isNewest || nights.some(({ partition }) => partition === slot.partition)),
    )
    const outcome = outcomes.find(
      ({ model, partition }) => model === slot.name && partition === slot.partition,
    )
    return trust({
      now,
      timezone,
      latest: { last: slot, published: slot.published_run === null ? undefined : slot, next: undefined },
      features: used?.slot && { slot: used.slot, run: run(used.slot.run) },
      run: run(slot.run),
      published: list,
      champion: live.get(slot.name)?.version,
      evidence: list && evidence.get(list.id),
      parity: list?.features_run == null ? undefined : parity.get(list.features_run),
      outcome: outcome && outcomeOf(outcome),
      limits: models[slot.name],
      open,
    })
  }
  return new Map(slots.map((slot) => [slot.id, trustOf(slot)]))
}

function outcomeOf({ model, partition, state, report, matures_at, note, looked }: Outcome): LatestOutcome {
  return {
    model,
    measured: state === 'measured' && report !== null ? { partition, report } : null,
    next: state === 'immature' ? { partition, matures_at, note, looked: looked === true } : null,
  }
}
