import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ended, nightshift, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { record, secondsUntil } from './record.ts'

const TRIES = process.env.NIGHTSHIFT_FAULTS === 'full' ? 5 : 1
const CUSTOMERS = 100_000
/** Room for less than the scores of a night. */
const LEFT = 100_000
const present = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0
if (!present) console.warn('skipped: a full disk, which only root can make')

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }
const warehouse = () => join(project.root, 'warehouse')

beforeAll(async () => {
  if (!present) return
  database = await freshDatabase()
  project = await generatedProject({
    customers: CUSTOMERS,
    schedule:
      'schedule: nightly\ncron: "0 2 * * *"\nscore: [value]\nstart: "2099-01-01"\nretry: { attempts: 30, backoff: 1s }\n',
  })
  mkdirSync(warehouse())
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', warehouse()])
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
  await nightshift(promoting('value', 1), at)
})
afterAll(async () => {
  if (present) spawnSync('umount', ['-l', warehouse()])
  await project?.remove()
  await database?.drop()
})

test.skipIf(!present)(
  'a disk that is full while a night is scored costs attempts and no night; nothing torn is seen',
  async () => {
    for (let number = 0; number < TRIES; number++) {
      const asOf = `2026-03-${String(2 + number).padStart(2, '0')}`
      await nightshiftJson(['refresh', 'activity', '--as-of', asOf], at)
      fill()
      const run = ended(start(['run', 'value', '--as-of', asOf, '--json'], at))
      await secondsUntil(async () => (await failures(asOf)).length > 0, { within: 90 })
      const [failure] = await failures(asOf)
      expect(failure?.class, JSON.stringify(failure)).toBe('resource')
      expect(existsSync(join(warehouse(), 'scores/value', `as_of=${asOf}`, 'scores.parquet'))).toBe(false)
      rmSync(join(warehouse(), 'filler'))
      const mended = performance.now()
      const { code, stdout, stderr } = await run
      expect(code, stderr).toBe(0)
      const json = JSON.parse(stdout)
      expect(json).toMatchObject({ state: 'published', rows: CUSTOMERS })
      record({
        fault: 'the disk is full while a night is scored',
        promise: 'the attempt fails as `resource`, nothing torn is seen, and a later attempt publishes',
        happened: 'published by a later attempt once there was room',
        seconds: (performance.now() - mended) / 1000,
      })
    }
  },
  600_000,
)

function fill(): void {
  const { bavail, bsize } = statfsSync(warehouse())
  writeFileSync(join(warehouse(), 'filler'), Buffer.alloc(bavail * bsize - LEFT))
}

async function failures(partition: string): Promise<{ class: string; message: string }[]> {
  const { rows } = await database.database.pool.query(
    `select a.failure->>'class' as class, a.failure->>'message' as message
       from nightshift.attempts a join nightshift.runs r on r.id = a.run
      where r.kind = 'scores' and r.partition = $1 and a.outcome = 'failed' order by a.number`,
    [partition],
  )
  return rows
}
