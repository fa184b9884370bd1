import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'
import { promoting } from '../../promoting.ts'
import { nightshift, nightshiftJson } from '../nightshift.ts'

const SPAN = ['--from', '2026-03-02', '--to', '2026-03-03']

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }
beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject()
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  const model = readFileSync(join(project.root, 'models/value/model.yaml'), 'utf8')
  await project.write('models/worth/model.yaml', model.replace('model: value', 'model: worth'))
  await project.write('models/worth/RUNBOOK.md', '# Worth\n')
  for (const name of ['value', 'worth']) {
    for (const args of [
      ['register', name, join(project.root, 'model.onnx'), '--as-of', '2026-03-02'],
      promoting(name, 1),
    ]) {
      const { code, stderr } = await nightshift(args, at)
      expect(code, stderr).toBe(0)
    }
  }
})
afterAll(async () => {
  await project?.remove()
  await database?.drop()
})

test('several models are one plan, one question and one bar, and each ends with its own line', async () => {
  const call = ['backfill', 'value', 'worth', 'value', ...SPAN]
  const asked = await nightshift(call, at)
  expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('expected --yes') })
  const planned = await nightshiftJson([...call, '--dry-run'], at)
  expect(
    planned.json.map(({ name, slots }: { name: string; slots: unknown[] }) => [name, slots.length]),
  ).toEqual([
    ['value', 2],
    ['worth', 2],
  ])
  const { code, stdout, stderr } = await nightshift([...call, '--yes'], at)
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/^value\n[\s\S]*^worth\n[\s\S]*^2 models: 4 of 4 nights to run, /m)
  expect(stdout).toMatch(
    /backfill 1 of value: 2 of 2 nights published\nbackfill 2 of worth: 2 of 2 nights published\n$/,
  )
  expect(stderr).toMatch(/^2 backfills: 4 of 4 nights published$/m)
  expect(stderr).not.toMatch(/^backfill \d/m)
})

test('of one model the data are as they were; a version belongs to one model', async () => {
  const { json } = await nightshiftJson(['backfill', 'value', ...SPAN, '--dry-run'], at)
  expect(json).toMatchObject({ name: 'value', slots: [{ action: 'skip' }, { action: 'skip' }] })
  const refused = await nightshift(['backfill', 'value', 'worth', ...SPAN, '--version', '1', '--dry-run'], at)
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--version 1 is a version of one model, got: value, worth'),
  })
})
