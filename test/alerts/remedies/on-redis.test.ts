import { afterAll, beforeAll, describe, test } from 'vitest'
import type { StepName } from '../../../src/failures/remedies.ts'
import { hasRedis, type RedisServer, startRedis } from '../../jobs/redis-server.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { smallModel } from '../../projects/generated.ts'
import { failingProject } from './failing-project.ts'
import { type Ground, openGround } from './ground.ts'
import { openPlayer, type Player } from './player.ts'
import { FAILURES } from './scenes/failures.ts'
import { live, register } from './versions.ts'

/** Each command that gives the queue work, or takes it away, with a cause that has it. */
const ONCE: [step: StepName, cause: string][] = [
  ['again', 'the data of a source has not arrived'],
  ['skip', 'an expectation failed that nobody may override'],
  ['release', 'an expectation failed that a person may override'],
  ['forced', 'the published features have to be computed again'],
  ['night', 'the published features were removed or replaced'],
]

describe.skipIf(!hasRedis)('with the queue in Redis', () => {
  let redis: RedisServer
  let project: TemporaryProject
  let ground: Ground
  let player: Player
  beforeAll(async () => {
    redis = await startRedis()
    project = await failingProject()
    ground = await openGround(project, { redisUrl: redis.url })
    await ground.life.hire()
    await register(ground, { bytes: smallModel() })
    await live(ground, 1)
    player = openPlayer(ground, { first: '2026-03-02' })
  })
  afterAll(async () => {
    await ground?.close()
    await project?.remove()
    await redis?.remove()
  })

  test.each(ONCE)('%s: %s', async (step, cause) => {
    const scene = FAILURES.find((each) => each.cause === cause)
    if (scene === undefined) throw new Error(`no scene has the cause ${cause}`)
    await player.play(scene, [step])
  })
})
