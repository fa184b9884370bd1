import { afterAll, beforeAll, test } from 'vitest'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { failingProject } from './failing-project.ts'
import { type Ground, openGround } from './ground.ts'
import { ofForm, openPlayer, type Player } from './player.ts'
import { FAILURES } from './scenes/failures.ts'
import { expectTable } from './table.ts'

const IS_ROOT = process.getuid?.() === 0

let project: TemporaryProject
let ground: Ground
let player: Player
beforeAll(async () => {
  project = await failingProject()
  ground = await openGround(project, { redisUrl: process.env.NIGHTSHIFT_REMEDIES_REDIS })
  await ground.life.hire()
  player = openPlayer(ground, { first: '2026-03-02' })
})
afterAll(async () => {
  await ground?.close()
  await project?.remove()
})

test.each(ofForm(FAILURES.filter(({ needsRoot }) => needsRoot !== true || IS_ROOT)))(
  '$kind: $cause',
  (scene) => player.play(scene),
)

test.runIf(IS_ROOT)('the page says what came of each command about a failed run', () =>
  expectTable('failed runs', player.rows()),
)
