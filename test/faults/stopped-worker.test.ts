import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { workerAlive } from '../../src/ledger/nights/alive.ts'
import { readRunId } from '../../src/pipeline/partition/footer.ts'
import { ended, nightshift, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, smallModel } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { record } from './record.ts'

const CUSTOMERS = 20_000
const AS_OF = '2026-03-02'
let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject({ customers: CUSTOMERS }, smallModel({ work: 8 }))
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
  await nightshift(promoting('value', 1), at)
})
afterAll(async () => {
  await project.remove()
  await database.drop()
})

// Takes half a minute, as it says.
test('a worker that was stopped for half a minute comes back to a commit that is refused', async () => {
  const zombie = start(['worker'], at)
  const zombieEnded = ended(zombie)
  await until(() => workerAlive(database.database))
  const run = ended(start(['run', 'value', '--as-of', AS_OF, '--json'], at))
  await until(() => isScoring())
  const stopped = Date.now()
  zombie.kill('SIGSTOP')
  const other = start(['worker'], at)
  const otherEnded = ended(other)
  const { code, stdout, stderr } = await run
  expect(code, stderr).toBe(0)
  const result = JSON.parse(stdout)
  expect(result.tries.map((each: { outcome: string }) => each.outcome)).toEqual(['lost', 'published'])

  zombie.kill('SIGCONT')
  await sleep(6_000)
  const path = join(project.root, result.path)
  expect(await readRunId(path)).toBe(result.run)
  const after = await nightshiftJson(['show', result.run], at)
  expect(after.json).toMatchObject({ state: 'published', sha256: result.sha256, attempts: 2 })
  expect(after.json.tries).toEqual(result.tries)
  record({
    fault: 'SIGSTOP of a worker past its lock, then SIGCONT',
    promise: 'another worker, started then, publishes the night; the late commit is refused',
    happened: 'published by the other; the late commit was refused',
    seconds: (Date.parse(result.tries[1].started_at) - stopped) / 1000,
  })

  // The one that came back works on.
  other.kill('SIGTERM')
  await otherEnded
  const next = await nightshiftJson(['refresh', 'activity', '--as-of', '2026-03-03'], at)
  expect({ code: next.code, ...next.json }).toMatchObject({ code: 0, state: 'published' })
  zombie.kill('SIGTERM')
  await zombieEnded
})

async function isScoring(): Promise<boolean> {
  const { rows } = await database.database.pool.query(
    `select from nightshift.runs
      where kind = 'scores' and state = 'running' and started_at < now() - interval '1 s'`,
  )
  return rows.length > 0
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await holds()) return
    await sleep(100)
  }
  throw new Error('what was waited for did not come within 40 s')
}
