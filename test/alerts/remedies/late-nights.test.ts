import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { smallModel } from '../../projects/generated.ts'
import { failingProject } from './failing-project.ts'
import { type Ground, openGround } from './ground.ts'
import { ofForm, openPlayer, type Player } from './player.ts'
import { DEADLINE_SCENES, IDLE_SCENES } from './scenes/deadline-scenes.ts'
import { expectTable } from './table.ts'
import { live, register } from './versions.ts'

let project: TemporaryProject
let ground: Ground
let player: Player
beforeAll(async () => {
  project = await failingProject()
  ground = await openGround(project, {
    from: '2026-03-01T23:00:00Z',
    redisUrl: process.env.NIGHTSHIFT_REMEDIES_REDIS,
  })
  await register(ground, { bytes: smallModel() })
  await live(ground, 1)
  player = openPlayer(ground, { first: '2026-03-02' })
})
afterAll(async () => {
  await ground?.close()
  await project?.remove()
})

test.each(ofForm(IDLE_SCENES))('$kind: $cause', (scene) => player.play(scene))

describe('with a worker', () => {
  beforeAll(() => ground.life.hire())

  test.each(ofForm(DEADLINE_SCENES))('$kind: $cause', (scene) => player.play(scene))
})

test('the page says what came of each command about a late night', () => {
  expectTable('late nights', player.rows())
  expect(player.rows().length).toBeGreaterThan(ofForm(IDLE_SCENES).length + ofForm(DEADLINE_SCENES).length)
})
