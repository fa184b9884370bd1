import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { workerAlive } from '../../src/ledger/nights/alive.ts'
import { ended, nightshift, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, smallModel, writeDay } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'

/* Who records whether a list may be used, in a project on which no scheduler has ever run. */
const NIGHTS = ['2026-03-02', '2026-03-03', '2026-03-04']
let database: FreshDatabase
let project: TemporaryProject
const at = () => ({ project: project.root, env: { DATABASE_URL: database.url } })
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await nightshift(args, at())
  expect(code, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0)
}
/** The kept answers about the lists, the oldest first. */
const answers = async () => {
  const { json } = await nightshiftJson(['status', 'value', '--days', '3650'], at())
  const lists: Slot[] = json.filter(({ kind }: Slot) => kind === 'scores')
  return lists.sort((a, b) => a.as_of.localeCompare(b.as_of)).map(({ verdict }) => verdict?.answer)
}
interface Slot {
  kind: string
  as_of: string
  verdict: { answer: string } | null
}

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject({ customers: 50 })
  for (const day of NIGHTS) await writeDay(project.root, day, 50)
  writeFileSync(join(project.root, 'other.onnx'), smallModel({ reversed: true }))
  for (const file of ['model.onnx', 'other.onnx']) await run('register', 'value', join(project.root, file))
  await run(...promoting('value', 1))
})
afterAll(async () => {
  await project?.remove()
  await database?.drop()
})

test('a command does where it is alone', async () => {
  await run('run', 'value', '--as-of', '2026-03-02')
  expect(await answers()).toEqual(['yes'])
})

/* Without monitoring, whose profile may come before its end or not, and finds too few rows. */
test('a worker does, at the latest when it ends', async () => {
  const worker = start(['worker', '--places', '1', '--only', 'features,scoring'], at())
  const gone = ended(worker)
  try {
    await vi.waitFor(async () => expect(await workerAlive(database.database)).toBe(true), 60_000)
    await run('run', 'value', '--as-of', '2026-03-03')
  } finally {
    worker.kill('SIGTERM')
  }
  const { code, stderr } = await gone
  expect(code, stderr).toBe(0)
  expect(await answers()).toEqual(['yes', 'yes'])
})

test('`promote` and `rollback` do, of each list whose version they replace', async () => {
  await run(...promoting('value', 2))
  expect(await answers()).toEqual(['yes', 'yes'])
  await run('run', 'value', '--as-of', '2026-03-04')
  expect(await answers()).toEqual(['yes', 'yes', 'yes'])
  await run('rollback', 'value', '--from', '2026-03-05', '--by', 'ann@example.com')
  expect(await answers()).toEqual(['yes', 'yes', 'check'])
})

test('`rollback --withdraw` does, of the lists that stay published', async () => {
  await run(
    'rollback',
    'value',
    '--withdraw',
    '--from',
    '2026-03-04',
    '--reason',
    'a test',
    '--by',
    'ann@example.com',
  )
  expect(await answers()).toEqual(['check', 'check', undefined])
})
