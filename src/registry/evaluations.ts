import type { ClientBase, Pool } from 'pg'
import { type Database, transaction } from '../ledger/connection/database.ts'
import { record } from './history-records.ts'

/** A recorded evaluation; `report` is the output of `evaluate --json`. */
export interface EvaluationRecord {
  id: number
  model: string
  version: number
  dataset: string
  at: string
  by: string | null
  passed: boolean
  report: unknown
}

/** Records an evaluation with its version and in the model's history. */
export async function recordEvaluation(
  database: Database,
  evaluation: Pick<EvaluationRecord, 'model' | 'version' | 'dataset' | 'by' | 'passed' | 'report'>,
  evidence: Record<string, unknown>,
): Promise<EvaluationRecord> {
  const { model, version, dataset, by, passed, report } = evaluation
  return transaction(database, async (client) => {
    const { rows } = await client.query<EvaluationRecord>(
      `insert into nightshift.evaluations (model, version, dataset, by, passed, report)
       values ($1, $2, $3, $4, $5, $6) returning id, model, version, dataset, at, by, passed, report`,
      [model, version, dataset, by, passed, JSON.stringify(report)],
    )
    await record(client, {
      model,
      event: 'evaluated',
      version,
      by,
      reason: passed ? 'passed' : 'not passed',
      evidence: { dataset, ...evidence },
    })
    const [recorded] = rows
    if (recorded === undefined) throw new Error(`evaluation of ${model}: the ledger returned no row`)
    return recorded
  })
}

const SELECT = 'select id, model, version, dataset, at, by, passed, report from nightshift.evaluations'

/** The newest evaluation of a version, undefined if there is none. */
export async function latestEvaluation(
  connection: ClientBase | Pool,
  model: string,
  version: number,
): Promise<EvaluationRecord | undefined> {
  const { rows } = await connection.query<EvaluationRecord>(
    `${SELECT} where model = $1 and version = $2 order by id desc limit 1`,
    [model, version],
  )
  return rows[0]
}

/** One evaluation of a model by its number, undefined if there is none. */
export async function findEvaluation(
  connection: ClientBase | Pool,
  model: string,
  id: number,
): Promise<EvaluationRecord | undefined> {
  const { rows } = await connection.query<EvaluationRecord>(`${SELECT} where model = $1 and id = $2`, [
    model,
    id,
  ])
  return rows[0]
}
