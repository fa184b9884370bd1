import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { workerAlive } from '../../src/ledger/nights/alive.ts'
import { ended, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { type LedgerProxy, type Moment, openProxy } from './proxy.ts'
import { record, secondsUntil } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const AWAY_MS = 2_500
const MOMENTS: Moment[] = ['before the commit', 'while the commit runs', 'between commit and rename']
const OUTAGES = FULL ? (['cut', 'freeze'] as const) : (['cut'] as const)
const TRIES = FULL ? 3 : 1

describe.each(FULL ? [{ redis: false }, { redis: true }] : [{ redis: false }])(
  'the ledger goes away for 2.5 s in the middle of a publication (redis: $redis)',
  ({ redis }) => {
    const skip = redis && !hasRedis
    let database: FreshDatabase
    let proxy: LedgerProxy
    let server: RedisServer | undefined
    let project: TemporaryProject
    let worker: ReturnType<typeof start>
    let env: Record<string, string> = {}
    let night = 1

    beforeAll(async () => {
      if (skip) return
      database = await freshDatabase()
      proxy = await openProxy(database.url)
      server = redis ? await startRedis() : undefined
      env = server === undefined ? {} : { REDIS_URL: server.url }
      project = await generatedProject({ customers: 100 })
      // One worker for all tries: it has to get over each of them.
      worker = start(['worker'], { project: project.root, env: { ...env, DATABASE_URL: proxy.url } })
      void ended(worker)
      await secondsUntil(() => workerAlive(database.database), { within: 60 })
    })
    afterAll(async () => {
      worker?.kill('SIGKILL')
      await proxy?.close()
      await server?.remove()
      await project?.remove()
      await database?.drop()
    })

    const tries = MOMENTS.flatMap((moment) => OUTAGES.map((outage) => ({ moment, outage })))
    test.skipIf(skip).each(tries)(
      '$moment ($outage): the night is published once, by a worker that lives on',
      async ({ moment, outage }) => {
        for (let number = 0; number < TRIES; number++) {
          const asOf = `2026-03-${String(++night).padStart(2, '0')}`
          let over = 0
          const away = proxy.at(moment, async () => {
            await (outage === 'cut' ? proxy.cut(AWAY_MS) : proxy.freeze(AWAY_MS))
            over = performance.now()
          })
          const refreshed = nightshiftJson(['refresh', 'activity', '--as-of', asOf], {
            project: project.root,
            env: { ...env, DATABASE_URL: database.url },
          })
          await away
          const published = async () => {
            const { rows } = await database.database.pool.query<{ state: string }>(
              'select state from nightshift.slots where partition = $1',
              [asOf],
            )
            return rows[0]?.state === 'published'
          }
          const seconds = await secondsUntil(published, { within: 60, from: over })
          const { code, json, stderr } = await refreshed
          expect(code, stderr).toBe(0)
          expect(json).toMatchObject({ state: 'published', rows: 100 })
          const { rows } = await database.database.pool.query(
            `select count(*)::int as published from nightshift.standings t join nightshift.slots s on s.id = t.slot
              where s.partition = $1`,
            [asOf],
          )
          expect(rows).toEqual([{ published: 1 }])
          record({
            fault: `the ledger is away for 2.5 s (${outage}), ${moment}`,
            promise: 'the night is published once, by itself',
            happened: json.attempts === 1 ? 'published' : `published by attempt ${json.attempts}`,
            seconds,
          })
          expect(seconds).toBeLessThan(30)
        }
      },
      600_000,
    )
  },
)
