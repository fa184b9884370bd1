import { claimRetraining, endRetraining } from '../../monitoring/retraining/record.ts'
import type { Context } from '../../workers/context.ts'
import { RetrainingJob } from '../work-retraining.ts'

/**
 * What a simulation does about a retraining: it records that one would have begun, and when. The team's command would take
 * its own real time, once for each trigger, and might write where it always writes.
 */
export async function noteRetraining({ database, id }: Context, data: unknown): Promise<string> {
  const job = RetrainingJob.safeParse(data)
  if (!job.success) return 'nothing is promoted within a simulation by itself'
  const retraining = await claimRetraining(database.pool, job.data.retraining, id)
  if (retraining === undefined) return 'it is noted already'
  const outcome = 'would have begun; a simulation does not run the command'
  await endRetraining(database.pool, { id: retraining.id, process: id }, { state: 'done', outcome })
  return outcome
}
