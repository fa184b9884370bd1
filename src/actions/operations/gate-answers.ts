import type { ClientBase, Pool } from 'pg'
import type { RecordedGate } from '../../readiness/gate-on-record.ts'

/** What the gate last said about a version. */
export interface GateAnswer {
  model: string
  version: number | null
  gate: RecordedGate
  /** Who asked: the scheduler every day, somebody by hand, or a promotion. */
  asked: 'daily' | 'by hand' | 'at promotion'
  by: string | null
}

/** One row from each place where answers are kept; the index of each table leads to it. */
const NEWEST = `
select v.model, v.version, a.gate, a.asked, a.by
  from unnest($1::text[], $2::int[]) as v (model, version)
 cross join lateral (
   (select gate, 'daily' as asked, null as by from nightshift.daily_gates
     where model = v.model and version = v.version order by day desc limit 1)
   union all
   (select gate, case kind when 'gate' then 'by hand' else 'at promotion' end, by from nightshift.operations
     where model = v.model and version is not distinct from v.version and gate is not null order by id desc limit 1)
   union all
   (select evidence->'gate', 'at promotion', by from nightshift.history
     where model = v.model and version = v.version and event = 'promoted' order by id desc limit 1)) a
 where a.gate is not null`

/** The newest answer about each of these versions, by model; null stands for a model without one. */
export async function newestAnswers(
  connection: ClientBase | Pool,
  subjects: { model: string; version: number | null }[],
): Promise<Map<string, GateAnswer>> {
  const { rows } = await connection.query<GateAnswer>(NEWEST, [
    subjects.map(({ model }) => model),
    subjects.map(({ version }) => version),
  ])
  const newest = new Map<string, GateAnswer>()
  for (const row of rows) {
    const known = newest.get(row.model)
    if (known === undefined || Date.parse(known.gate.at) < Date.parse(row.gate.at)) newest.set(row.model, row)
  }
  return newest
}
