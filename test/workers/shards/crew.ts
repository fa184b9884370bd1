import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { findRun, type Run } from '../../../src/ledger/nights/run-records.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { livingWorkers } from '../../../src/ledger/workers/living-workers.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { ended, start } from '../../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { type RedisServer, startRedis } from '../../jobs/redis-server.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { contentOf } from './content-of.ts'

/** A project with a database, a queue, and workers of one place each that come one by one. */
export interface Crew {
  project: TemporaryProject
  database: FreshDatabase['database']
  at: { project: string; env: Record<string, string> }
  /** Waits until so many workers live. */
  hire(count: number): Promise<void>
  /** Asks for a partition anew and waits until it is published. Throws where it is held or fails. */
  compute(kind: 'features' | 'scores', name: string, asOf: string): Promise<{ run: Run; content: unknown }>
  close(): Promise<void>
}

export async function openCrew(project: TemporaryProject, { redis }: { redis: boolean }): Promise<Crew> {
  const fresh = await freshDatabase()
  const { database } = fresh
  const server: RedisServer | undefined = redis ? await startRedis() : undefined
  const env = { DATABASE_URL: fresh.url, ...(server === undefined ? {} : { REDIS_URL: server.url }) }
  const at = { project: project.root, env }
  const workers: ReturnType<typeof start>[] = []
  return {
    project,
    database,
    at,
    async hire(count) {
      while (workers.length < count) workers.push(start(['worker', '--places', '1'], at))
      for (let tries = 0; tries < 300; tries++) {
        const living = await livingWorkers(database.pool)
        if (living.filter(({ role }) => role === 'worker').length === count) return
        await sleep(100)
      }
      throw new Error('the workers did not come')
    },
    async compute(kind, name, asOf) {
      const id = await transaction(database, async (client) => {
        const slot = await ensureSlot(client, kind, name, parseAsOf(asOf, 'UTC'), { anew: true })
        const settings = { attempts: 3, backoff_ms: 0, timeout_ms: 120_000, wait_until: null }
        return createRun(client, slot, { trigger: 'manual', forced: true, settings })
      })
      for (;;) {
        const run = await findRun(database.pool, id)
        if (run?.state === 'published')
          return { run, content: await contentOf(join(project.root, 'warehouse', run.path ?? '')) }
        if (run?.state === 'failed' || run?.state === 'held') throw new Error(JSON.stringify(run.failure))
        await sleep(100)
      }
    },
    async close() {
      const over = workers.map(ended)
      for (const worker of workers) worker.kill('SIGTERM')
      await Promise.all(over)
      await server?.remove()
      await project.remove()
      await fresh.drop()
    },
  }
}
