import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { removeDatabase } from '../../src/ledger/server/remove-server.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { ended, nightshift, nightshiftJson, start } from './nightshift.ts'

/** On the embedded default: no variables, no worker, nothing started beforehand. */
let project: TemporaryProject
beforeAll(async () => {
  project = await generatedProject({ customers: 500 })
})
afterAll(async () => {
  await removeDatabase(project.root)
  await project.remove()
})

test('the first command starts all that it needs', async () => {
  const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], {
    project: project.root,
  })
  expect(registered.code, registered.stderr).toBe(0)
  const promoted = await nightshift(promoting('value', 1), { project: project.root })
  expect(promoted.code, promoted.stderr).toBe(0)
})

test('two commands at once, one of them killed: the other publishes, and so does the next', async () => {
  const killed = start(['run', 'value', '--as-of', '2026-03-02'], { project: project.root })
  const killedEnded = ended(killed)
  const other = nightshiftJson(['run', 'value', '--as-of', '2026-03-03'], { project: project.root })
  await sleep(1_500)
  killed.kill('SIGKILL')
  await killedEnded
  const { code, json } = await other
  expect({ code, ...json }).toMatchObject({ code: 0, state: 'published', rows: 500 })

  const again = await nightshiftJson(['run', 'value', '--as-of', '2026-03-02'], { project: project.root })
  expect({ code: again.code, ...again.json }).toMatchObject({ code: 0, state: 'published', rows: 500 })
})

test('a backfill with no worker alive works itself', async () => {
  const args = ['backfill', 'value', '--from', '2026-03-02', '--to', '2026-03-06', '--yes']
  const { code, json } = await nightshiftJson(args, { project: project.root })
  expect({ code, ...json }).toMatchObject({ code: 0, published: 3, broken: [] })
})

test('nothing is left running some 10 s after the last command', async () => {
  const running = () => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(project.root)
  for (let tries = 0; tries < 250 && running(); tries++) await sleep(100)
  expect(running()).toBe(false)
})
