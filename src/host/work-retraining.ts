import * as z from 'zod'
import { carryOut } from '../actions/retraining/end-retraining.ts'
import { promoteRetrained } from '../actions/retraining/promote-retrained.ts'
import { claimRetraining, findRetraining } from '../monitoring/retraining/record.ts'
import { Failure } from '../pipeline/engine/failure.ts'
import type { Context } from '../workers/context.ts'

/** The payload of a job. It can be edited on the board, so it is validated here; everything else is in the ledger. */
export const RetrainingJob = z.object({ retraining: z.number().int().positive() })
const PromotionJob = z.object({ promotion: z.number().int().positive() })

/** Carries out a retraining that is asked for, in processes of its own beside the places of nights. */
export async function workRetraining(context: Context, data: unknown, signal: AbortSignal): Promise<string> {
  const { database } = context
  const project = context.project()
  const promotion = PromotionJob.safeParse(data)
  if (promotion.success) {
    const done = await findRetraining(database.pool, promotion.data.promotion)
    const model = done && project.models[done.model]
    if (done === undefined || model === undefined) return 'its model is gone'
    return await promoteRetrained({ project, database }, model, done)
  }
  const { retraining: id } = RetrainingJob.parse(data)
  const retraining = await claimRetraining(database.pool, id, context.id)
  if (retraining === undefined) return 'another process works on it, or it is over'
  const model = project.models[retraining.model]
  if (model === undefined)
    throw new Failure('contract', `model ${retraining.model} is no longer in the project`)
  context.log.info({ model: model.name, retraining: id }, `retraining begins: ${retraining.reason}`)
  const ended = await carryOut({ project, database }, model, {
    retraining,
    process: context.id,
    variables: process.env,
    signal,
    onStep: (_step, text) => context.log.info({ model: model.name, retraining: id }, text),
  })
  context.wake()
  const outcome = ended.state === 'done' ? ended.retrained.outcome : ended.outcome
  context.log.info({ model: model.name, retraining: id }, `retraining ${ended.state}: ${outcome}`)
  return `${ended.state}: ${outcome}`
}
