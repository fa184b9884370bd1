import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { transaction } from '../../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../../src/ledger/nights/ensure-slot.ts'
import { attemptsOf, findRun } from '../../../src/ledger/nights/run-records.ts'
import { createRun } from '../../../src/ledger/nights/run-transitions.ts'
import { shardsOf } from '../../../src/ledger/shards/split-records.ts'
import { livingWorkers } from '../../../src/ledger/workers/living-workers.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { ended, nightshift, nightshiftJson, start } from '../../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { hasRedis, type RedisServer, startRedis } from '../../jobs/redis-server.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject } from '../../projects/generated.ts'
import { promoting } from '../../promoting.ts'
import { contentOf } from './content-of.ts'

const ROWS = 8_000
const SHARDS = 4
const AS_OF = '2026-03-02'

describe.each([{ redis: false }, { redis: true }])('a night in shards (redis: $redis)', ({ redis }) => {
  const skip = redis && !hasRedis
  let database: FreshDatabase
  let server: RedisServer | undefined
  let project: TemporaryProject
  let at: { project: string; env: Record<string, string> }
  const workers: ReturnType<typeof start>[] = []

  beforeAll(async () => {
    if (skip) return
    database = await freshDatabase()
    server = redis ? await startRedis() : undefined
    project = await generatedProject({ customers: ROWS })
    const env = { DATABASE_URL: database.url, ...(server === undefined ? {} : { REDIS_URL: server.url }) }
    at = { project: project.root, env }
    const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
    expect(registered.code, registered.stderr).toBe(0)
    await nightshift(promoting('value', 1), at)
    const refreshed = await nightshift(['refresh', 'activity', '--as-of', AS_OF], at)
    expect(refreshed.code, refreshed.stderr).toBe(0)
  })
  afterAll(async () => {
    const over = workers.map(ended)
    for (const worker of workers) worker.kill('SIGTERM')
    await Promise.all(over)
    await server?.remove()
    await project?.remove()
    await database?.drop()
  })

  const hire = async (count: number) => {
    while (workers.length < count) workers.push(start(['worker', '--places', '1'], at))
    for (let tries = 0; tries < 300; tries++) {
      const living = await livingWorkers(database.database.pool)
      if (living.filter(({ role }) => role === 'worker').length === count) return
      await sleep(100)
    }
    throw new Error('the workers did not come')
  }
  /** Asks for the scores again; their features are published. */
  const score = async () => {
    const id = await transaction(database.database, async (client) => {
      const slot = await ensureSlot(client, 'scores', 'value', parseAsOf(AS_OF, 'UTC'), { anew: true })
      const settings = { attempts: 3, backoff_ms: 0, timeout_ms: 120_000, wait_until: null }
      return createRun(client, slot, { trigger: 'manual', forced: true, settings })
    })
    for (;;) {
      const run = await findRun(database.database.pool, id)
      if (run?.state === 'published') {
        expect(run.rows).toBe(ROWS)
        return { id, content: await contentOf(join(project.root, 'warehouse', run.path ?? '')) }
      }
      if (run?.state === 'failed' || run?.state === 'held') throw new Error(JSON.stringify(run.failure))
      await sleep(100)
    }
  }

  test.skipIf(skip)(
    'the content is that of one attempt, with 1, 2 and 4 workers',
    async () => {
      await hire(1)
      const whole = await score()
      expect(await shardsOf(database.database.pool, whole.id)).toEqual([])
      await project.write(
        'models/value/model.yaml',
        `model: value
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
view: activity
score: { column: score, min: 0, max: 1 }
scoring: { shards: ${SHARDS}, min_rows: 1000 }
`,
      )
      // Workers read the files again after a second.
      await sleep(1_500)
      for (const count of [1, 2, 4]) {
        await hire(count)
        const { id, content } = await score()
        expect(content).toEqual(whole.content)
        const shards = await shardsOf(
          database.database.pool,
          id,
          (await attemptsOf(database.database.pool, id)).length,
        )
        expect(shards.map(({ shard, state, rows }) => ({ shard, state, rows }))).toEqual(
          Array.from({ length: SHARDS }, (_, index) => ({
            shard: index + 1,
            state: 'done',
            rows: ROWS / SHARDS,
          })),
        )
        const attempt = (await attemptsOf(database.database.pool, id)).at(-1)
        expect(attempt?.steps.filter(({ step }) => step.startsWith('shards: '))).toHaveLength(SHARDS)
        expect(attempt?.usage?.memory).toBeGreaterThan(0)
      }
      const { json } = await nightshiftJson(['show', `value:${AS_OF}`], at)
      expect(json.shards[3]).toMatchObject({
        shard: 4,
        first_row: 6_000,
        rows: 2_000,
        state: 'done',
      })
      const shown = await nightshift(['workers'], at)
      expect(shown.stdout.match(/^worker-/gm)).toHaveLength(4)
    },
    240_000,
  )
})
