import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { expectChoice } from '../../src/host/chosen-work.ts'
import { projectReader } from '../../src/host/reread.ts'
import { startWorker } from '../../src/host/start-worker.ts'
import { enqueueAttempt, jobQueue } from '../../src/jobs/queue/enqueue-attempt.ts'
import { openQueues, type Queues } from '../../src/jobs/queue/queues.ts'
import { transaction } from '../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../src/ledger/nights/ensure-slot.ts'
import { attemptsOf, findRun, type Run } from '../../src/ledger/nights/run-records.ts'
import { createRun } from '../../src/ledger/nights/run-transitions.ts'
import { openActiveAttempts } from '../../src/ledger/workers/active-attempts.ts'
import { livingWorkers } from '../../src/ledger/workers/living-workers.ts'
import { openProject } from '../../src/project/files/load-project.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { openChildren } from '../../src/workers/child/children.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'

let project: TemporaryProject
beforeAll(async () => {
  project = await generatedProject()
  await project.write(
    'models/other/model.yaml',
    `model: other
description: Another
owner: crm@example.com
on_call: [oncall@example.com]
view: activity
score: { column: score, min: 0, max: 1 }
`,
  )
  await project.write('models/other/RUNBOOK.md', '# Other\n')
})
afterAll(() => project?.remove())

test('a choice of models goes with features and scoring only', () => {
  const files = openProject(project.root)
  expect(() => expectChoice(files, { models: ['othr'] })).toThrow(
    '--models: expected models of this project (other, value), got: othr; did you mean other?',
  )
  expect(() => expectChoice(files, { only: ['scoring', 'monitoring'], models: ['other'] })).toThrow(
    /expected --only to be features or scoring.*got: monitoring/,
  )
  expectChoice(files, { only: ['scoring'], models: ['other'] })
})

describe.each([{ redis: false }, { redis: true }])(
  'workers that take a part (redis: $redis)',
  ({ redis }) => {
    const skip = redis && !hasRedis
    let database: FreshDatabase
    let server: RedisServer | undefined
    let queues: Queues
    beforeAll(async () => {
      if (skip) return
      database = await freshDatabase()
      server = redis ? await startRedis() : undefined
      queues = await openQueues({ databaseUrl: database.url, redisUrl: server?.url, log: () => {} })
    })
    afterAll(async () => {
      await queues?.close()
      await server?.remove()
      await database?.drop()
    })

    const hire = async (id: string, choice: Parameters<typeof expectChoice>[1]) => {
      const children = openChildren({ places: 1 })
      const log = pino({ level: 'silent' })
      const worker = await startWorker(
        {
          id,
          database: database.database,
          children,
          activeAttempts: openActiveAttempts(),
          log,
          root: project.root,
          warehouse: join(project.root, 'warehouse'),
          clock: async () => new Date(),
          project: projectReader(openProject(project.root), log),
          wake: () => {},
          onPublished: async () => {},
        },
        queues,
        'worker',
        { choice },
      )
      return async () => {
        await worker.close(0)
        await children.close()
      }
    }
    /** Nothing is registered, so its attempt fails at once; it names the worker that took it. */
    const ask = async (name: string, night = '2026-03-02'): Promise<Run> => {
      const id = await transaction(database.database, async (client) => {
        const slot = await ensureSlot(client, 'scores', name, parseAsOf(night, 'UTC'), { anew: true })
        const settings = { attempts: 1, backoff_ms: 0, timeout_ms: 60_000, wait_until: null }
        return createRun(client, slot, { trigger: 'manual', settings })
      })
      const run = await findRun(database.database.pool, id)
      if (run === undefined) throw new Error('no run')
      await enqueueAttempt(queues, run, 1)
      return run
    }
    const takenBy = async ({ id }: Run) => (await attemptsOf(database.database.pool, id))[0]?.worker

    test.skipIf(skip)(
      'each run is taken by the worker that is told to, whoever is given its job first',
      async () => {
        const own = await ask('other')
        const foreign = await ask('value')
        const fire = [await hire('w-other', { models: ['other'] })]
        try {
          await vi.waitFor(async () => expect(await takenBy(own)).toBe('w-other'), { timeout: 60_000 })
          const another = await ask('other', '2026-03-03')
          await vi.waitFor(async () => expect(await takenBy(another)).toBe('w-other'), { timeout: 60_000 })
          // It has passed the foreign job on, or not been given it: nobody has begun the run.
          expect(await takenBy(foreign)).toBeUndefined()
          expect((await findRun(database.database.pool, foreign.id))?.state).toBe('queued')
          fire.push(await hire('w-value', { only: ['scoring'], models: ['value'] }))
          // As each round of the planner does.
          await vi.waitFor(
            async () => {
              if (!(await queues.has(jobQueue(foreign), `${foreign.id}-a1`)) && !(await takenBy(foreign)))
                await enqueueAttempt(queues, foreign, 1)
              expect(await takenBy(foreign)).toBe('w-value')
            },
            { timeout: 20_000, interval: 200 },
          )
          expect(
            (await livingWorkers(database.database.pool)).map(({ id, places, takes }) => ({
              id,
              places,
              takes,
            })),
          ).toEqual([
            {
              id: 'w-other',
              places: 1,
              takes: { only: ['features', 'scoring'], models: ['other'], views: ['activity'] },
            },
            {
              id: 'w-value',
              places: 1,
              takes: { only: ['scoring'], models: ['value'], views: ['activity'] },
            },
          ])
        } finally {
          for (const end of fire) await end()
        }
      },
    )
  },
)
