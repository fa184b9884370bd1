import type { ClientBase, Pool } from 'pg'
import type { IncidentKind } from '../../failures/incident-kinds.ts'
import type { SlotState } from '../../ledger/nights/slots.ts'
import type { Model } from '../../project/project.ts'
import { newestMeasured } from '../outcomes/outcome-nights.ts'
import { type QualityTrend, qualityTrend } from './quality-trend.ts'

/** What happened to the nights of a model between two instants. Partitions are as-ofs, such as 2026-11-22. */
export interface ModelWeek {
  model: string
  /** Nights that were due. */
  nights: number
  published: number
  /** Nights that missed their deadline, whatever became of them. */
  late: string[]
  /** Nights that readers do not have, and how they stand. */
  missing: { partition: string; state: SlotState }[]
  /** Published nights that were compared with a reference. */
  compared: number
  /** Published nights whose drift raised an alert. */
  drifted: string[]
  quality: QualityTrend | undefined
  /** Incidents of the model that are open now. */
  open: { id: number; kind: IncidentKind }[]
}

const NIGHTS = `
select s.name as model, s.partition, s.state, s.late or (s.deadline is not null and s.published_at > s.deadline) as late,
       s.published_run is not null as published,
       exists (select from nightshift.drift d where d.run = s.published_run and d.figures->>'threshold' is not null) as compared,
       exists (select from nightshift.drift d where d.run = s.published_run and d.alerting) as drifted
  from nightshift.slots s
 where s.kind = 'scores' and s.name = any($1) and coalesce(s.due, s.as_of) > $2 and coalesce(s.due, s.as_of) <= $3
 order by s.as_of`

/** Measured nights that a trend is made of. */
const MEASURED = 14

/** The nights of each model that were due after `from` and not after `to`, in the order of the models. */
export async function modelWeeks(
  connection: ClientBase | Pool,
  models: Model[],
  { from, to }: { from: string; to: string },
): Promise<ModelWeek[]> {
  const { rows } = await connection.query<{
    model: string
    partition: string
    state: SlotState
    late: boolean
    published: boolean
    compared: boolean
    drifted: boolean
  }>(NIGHTS, [models.map(({ name }) => name), from, to])
  const { rows: open } = await connection.query<{ subject: string; id: number; kind: IncidentKind }>(
    `select subject, id, kind from nightshift.incidents where subject_kind = 'model' and closed_at is null order by id`,
  )
  const weeks: ModelWeek[] = []
  for (const model of models) {
    const nights = rows.filter((row) => row.model === model.name)
    const measured = await newestMeasured(connection, model.name, MEASURED)
    const labels = (those: typeof nights) => those.map(({ partition }) => partition)
    weeks.push({
      model: model.name,
      nights: nights.length,
      published: nights.filter(({ published }) => published).length,
      late: labels(nights.filter(({ late }) => late)),
      missing: nights
        .filter(({ published }) => !published)
        .map(({ partition, state }) => ({ partition, state })),
      compared: nights.filter(({ compared }) => compared).length,
      drifted: labels(nights.filter(({ drifted }) => drifted)),
      quality: qualityTrend(model, measured),
      open: open.filter(({ subject }) => subject === model.name).map(({ id, kind }) => ({ id, kind })),
    })
  }
  return weeks
}
