import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { workerAlive } from '../../src/ledger/nights/alive.ts'
import { ended, nightshift, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, smallModel } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { record } from './record.ts'

const CUSTOMERS = 20_000
const AS_OF = '2026-03-02'
const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
/** Milliseconds from the command to the kill: before the claim, in the features, between the runs, while scoring. */
const KILLS = [0, 400, 800, 1200, 1600, 2000, 3000, 4000, 6000, 8000]

describe.each([{ redis: false }, { redis: true }])(
  'kill -9 of a worker in the middle of scoring (redis: $redis)',
  ({ redis }) => {
    const skip = redis && !hasRedis
    let database: FreshDatabase
    let project: TemporaryProject
    let server: RedisServer | undefined
    let env: Record<string, string>

    beforeAll(async () => {
      if (skip) return
      database = await freshDatabase()
      server = redis ? await startRedis() : undefined
      env = { DATABASE_URL: database.url, ...(server === undefined ? {} : { REDIS_URL: server.url }) }
      project = await generatedProject({ customers: CUSTOMERS }, smallModel({ work: 8 }))
      const at = { project: project.root, env }
      const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
      expect(registered.code, registered.stderr).toBe(0)
      await nightshift(promoting('value', 1), at)
    })
    afterAll(async () => {
      await project?.remove()
      await server?.remove()
      await database?.drop()
    })

    // Takes 20 s: an attempt is lost when nothing was heard of it for some seconds.
    test.skipIf(skip)('the run completes on another worker, with one commit and nothing torn', async () => {
      const at = { project: project.root, env }
      const workers = [start(['worker'], at), start(['worker'], at)]
      const over = workers.map(ended)
      // A command that finds no worker would work itself.
      await until(async () => (await workersAlive(database)) === 2)
      const run = ended(start(['run', 'value', '--as-of', AS_OF, '--json'], at))
      let working: number | undefined
      await until(async () => {
        working = await scoring(database)
        return working !== undefined
      })
      const first = workers.find(({ pid }) => pid === working)
      const second = workers.find(({ pid }) => pid !== working)
      const child = childrenOf(first?.pid)
      const killed = Date.now()
      first?.kill('SIGKILL')
      const { code, stdout, stderr } = await run
      second?.kill('SIGTERM')
      await Promise.all(over)

      expect(code, stderr).toBe(0)
      const result = JSON.parse(stdout)
      expect(result).toMatchObject({ state: 'published', rows: CUSTOMERS, attempts: 2 })
      expect(result.tries.map((each: { outcome: string }) => each.outcome)).toEqual(['lost', 'published'])
      record({
        fault: `kill -9 of a worker while it scores (queue in ${redis ? 'Redis' : 'PostgreSQL'})`,
        promise: 'the next attempt starts within 15 s; one commit, nothing torn',
        happened: 'lost, then published once and whole',
        seconds: (Date.parse(result.tries[1].started_at) - killed) / 1000,
      })
      const rows = await parquetReadObjects({
        file: await asyncBufferFromFile(join(project.root, result.path)),
      })
      expect(rows).toHaveLength(CUSTOMERS)
      expect(readdirSync(join(project.root, 'warehouse/scores/value', `as_of=${AS_OF}`))).toEqual([
        'scores.parquet',
      ])
      // The orphans of the killed worker have ended themselves.
      await until(async () => child.every((pid) => !existsSync(`/proc/${pid}`)))
      const attempts = () => readdirSync(join(project.root, 'warehouse/.attempts'))
      // The other worker may have begun a monitor, which has a folder of its own while it works.
      await until(async () => attempts().length === 0)
    })

    test.skipIf(skip || !FULL)(
      'whatever the moment of the kill, each night is published once and whole',
      async () => {
        const at = { project: project.root, env }
        for (const [night, delay] of KILLS.entries()) {
          const asOf = `2026-03-${String(3 + night).padStart(2, '0')}`
          const first = start(['worker'], at)
          const firstEnded = ended(first)
          await until(() => workerAlive(database.database))
          const run = ended(start(['run', 'value', '--as-of', asOf, '--json'], at))
          await sleep(delay)
          const killed = performance.now()
          first.kill('SIGKILL')
          await firstEnded
          const { code, stdout, stderr } = await run
          expect(code, `killed after ${delay} ms: ${stderr}`).toBe(0)
          const { path } = JSON.parse(stdout)
          const rows = await parquetReadObjects({ file: await asyncBufferFromFile(join(project.root, path)) })
          expect(rows).toHaveLength(CUSTOMERS)
          record({
            fault: `kill -9 of a worker at any moment of a night (queue in ${redis ? 'Redis' : 'PostgreSQL'})`,
            promise: 'the night is published once and whole',
            happened: 'published once and whole',
            seconds: (performance.now() - killed) / 1000,
          })
        }
        const { rows } = await database.database.pool.query(
          `select partition, kind from nightshift.runs where state = 'published' group by 1, 2 having count(*) > 1`,
        )
        expect(rows).toEqual([])
      },
      15 * 60_000,
    )
  },
)

/** The process that scores, once it has done so for a second. */
async function scoring(database: FreshDatabase): Promise<number | undefined> {
  const { rows } = await database.database.pool.query<{ pid: number }>(
    `select p.pid from nightshift.runs r
       join nightshift.attempts a on a.run = r.id and a.number = r.attempt
       join nightshift.processes p on p.id = a.worker
      where r.kind = 'scores' and r.state = 'running' and r.progress->>'text' = 'compute'
        and r.started_at < now() - interval '1 s'`,
  )
  return rows[0]?.pid
}

async function workersAlive(database: FreshDatabase): Promise<number> {
  const { rows } = await database.database.pool.query<{ count: number }>(
    'select count(*)::int as count from nightshift.processes where places > 0',
  )
  return rows[0]?.count ?? 0
}

async function until(holds: () => Promise<boolean>, seconds = 40): Promise<void> {
  for (let tries = 0; tries < seconds * 10; tries++) {
    if (await holds()) return
    await sleep(100)
  }
  throw new Error(`what was waited for did not come within ${seconds} s`)
}

function childrenOf(pid: number | undefined): string[] {
  const out = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return out
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
}
