import { renameSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REMEDIES } from '../../../src/failures/remedies.ts'
import { listVersions } from '../../../src/registry/version-records.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { smallModel } from '../../projects/generated.ts'
import { keepMail } from '../kept-mails.ts'
import { path } from './failing-project.ts'
import { commandsOf, type Ground, type Mailed, openGround } from './ground.ts'
import { ofForm, openPlayer, type Player } from './player.ts'
import { DRIFT_SCENES } from './scenes/drift-scenes.ts'
import { QUALITY_SCENES } from './scenes/quality-scenes.ts'
import { UNCHECKED_SCENES } from './scenes/unchecked-scenes.ts'
import { expectTable } from './table.ts'
import { live, register } from './versions.ts'
import { measured, retrainable, TRAINED, watchedProject } from './watched-project.ts'

const CHECKS = ofForm([...UNCHECKED_SCENES, ...DRIFT_SCENES, ...QUALITY_SCENES])

let project: TemporaryProject
let ground: Ground
let player: Player
beforeAll(async () => {
  project = await watchedProject()
  ground = await openGround(project, { redisUrl: process.env.NIGHTSHIFT_REMEDIES_REDIS })
  await register(ground, { bytes: smallModel() })
  await live(ground, 1)
  await ground.life.hire()
  player = openPlayer(ground, { first: '2026-03-03' })
  // The first night of a version is what later ones are compared with.
  await measured(ground, '2026-03-02', 'who spent much')
})
afterAll(async () => {
  await ground?.close()
  await project?.remove()
})

test.each(CHECKS)('$kind: $cause', (scene) => player.play(scene))

test('retrain: the training command failed', async () => {
  const cause = 'the training command failed'
  const trained = path(ground, TRAINED)
  await retrainable(ground)
  renameSync(trained, `${trained}.kept`)
  expect(await ground.paste('npx nightshift retrain value')).toMatchObject({ code: 1 })
  // The mail is due when the command ran, by the real clock.
  await ground.life.until(new Date().toISOString(), 1440)
  await ground.pass(1)
  const mail = ground.life.mails.received.findLast(
    ({ mail: { subject } }) => subject === 'value: retraining failed',
  )
  if (mail !== undefined) keepMail(`retrain ${cause}`, mail.mail, project.root)
  const [list, dryRun, retrain] = commandsOf(String(mail?.mail.text), REMEDIES.retrain[0].steps)
  const follow = async (mailed: Mailed | undefined, says: RegExp, after: string) => {
    const command = mailed?.command ?? ''
    const { code, stdout, stderr } = await ground.paste(command)
    expect(stdout, stderr).toMatch(says)
    expect(code, stderr).toBe(0)
    player.add(['retrain', cause, `\`${command.replace('npx ', '')}\``, after])
  }
  const versions = async () => (await listVersions(ground.life.database.pool, 'value')).length
  const before = await versions()
  await follow(list, /failed/, 'read; nothing changes')
  renameSync(`${trained}.kept`, trained)
  await follow(dryRun, /dry run \d+ of value: done/, 'a valid model; nothing is registered')
  expect(await versions()).toBe(before)
  await follow(
    retrain,
    /retraining \d+ of value: done/,
    'a new version is registered, the live one is unchanged',
  )
  expect([await versions(), await ground.champion('value')]).toEqual([before + 1, 1])
})

test('the page says what came of each command about a check', () => {
  expectTable('checks', player.rows())
  expect(player.rows().length).toBeGreaterThan(CHECKS.length)
})
