import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { currentPath } from '../../pipeline/partition/partition-files.ts'
import type { ScoreFile } from '../../pipeline/shadow/compare-scores.ts'
import { FROZEN_SCORE } from '../../pipeline/shadow/frozen-score.ts'
import type { Model } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { isThere, placeNew } from '../../storage/warehouse-files.ts'
import type { TaskOptions } from '../../workers/child/children.ts'
import type { Context } from '../../workers/context.ts'
import { inOwnFolder } from '../monitor-job.ts'

/**
 * The scores that the current process has of a night, in a file of our own: all challengers are compared with the same,
 * and so are labels that come weeks later. Written once for each night.
 */
export async function currentScores(
  { warehouse, children, project }: Pick<Context, 'warehouse' | 'children' | 'project'>,
  night: { model: Model; asOf: AsOf; timezone: string; challenger: ScoreFile },
  options: TaskOptions,
): Promise<ScoreFile | { reason: string }> {
  const { model, asOf, timezone, challenger } = night
  const { current } = model.shadow
  if (current === undefined) return { reason: 'model.yaml declares no current process (shadow.current)' }
  const { entity } = challenger
  const target = currentPath(warehouse, model.name, asOf.label)
  const frozen = { path: target.file, run: undefined, entity, score: FROZEN_SCORE }
  if (await isThere(target.file)) return frozen
  return await inOwnFolder(warehouse, 'current', async (folder, temp) => {
    const { root } = project()
    const answer = await children.run(
      'freeze',
      {
        root,
        warehouse,
        current,
        asOf,
        timezone,
        scores: challenger.path,
        entity,
        out: join(folder, 'scores.parquet'),
        temp,
        threads: availableParallelism(),
      },
      options,
    )
    if (answer.state === 'missing') return answer
    await placeNew(folder, target)
    return frozen
  })
}
