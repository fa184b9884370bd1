import type { Run } from '../../ledger/nights/run-records.ts'
import { checkPromise } from '../../pipeline/features/promised-columns.ts'
import { promiseOf } from '../../registry/view-promises.ts'
import type { Context } from '../context.ts'
import type { Result } from './publication.ts'

/** If a partition of features does not have the columns of its definition's first publication, adds a failed check. */
export async function compareWithPromise(context: Context, run: Run, result: Result): Promise<Result> {
  if (result.identity === undefined) return result
  const { pool } = context.database
  const promised = await promiseOf(pool, context.warehouse, { view: run.name, ...result.identity })
  if (promised === undefined) return result
  const { columns } = result.file
  const check = checkPromise(promised, { columns, sources: result.sources, inputs: result.inputs })
  return { ...result, promised, checks: check === undefined ? result.checks : [check, ...result.checks] }
}
