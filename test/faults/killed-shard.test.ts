import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { transaction } from '../../src/ledger/connection/database.ts'
import { ensureSlot } from '../../src/ledger/nights/ensure-slot.ts'
import { attemptsOf, findRun } from '../../src/ledger/nights/run-records.ts'
import { createRun } from '../../src/ledger/nights/run-transitions.ts'
import { shardsOf } from '../../src/ledger/shards/split-records.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { nightshift, nightshiftJson } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { divisibleProject, viewFile } from '../projects/divisible.ts'
import { smallModel, valueModel } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { contentOf } from '../workers/shards/content-of.ts'
import { type Fleet, openFleet, SHARD_STEPS, type Stop } from './fleet.ts'
import { record, secondsUntil } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const ROWS = 4_000
const SHARDS = 4
const AS_OF = '2026-03-02'
type Kind = 'features' | 'scores'
type Step = (typeof SHARD_STEPS)[number]
const both = (steps: readonly Step[]) =>
  (['scores', 'features'] as const).flatMap((kind) => steps.map((step) => ({ kind, step })))
/** In the short form: with the part on the disk, and not in the ledger; and of features in the middle. */
const KILLED_AT = FULL
  ? both(SHARD_STEPS)
  : ([
      { kind: 'scores', step: SHARD_STEPS[3] },
      { kind: 'features', step: SHARD_STEPS[2] },
    ] as const)
/** A worker that goes on after another has taken its shard, or its attempt. */
const FROZEN_AT = FULL ? both([SHARD_STEPS[3], SHARD_STEPS[7]]) : []
/** From here on the attempt is in one worker's hands, and is lost with it. */
const JOINS = SHARD_STEPS.slice(5)

function shown(kind: Kind, step: Step): string {
  return kind === 'scores'
    ? `a night in shards, ${step}`
    : `features in shards, ${step.replace('scores', 'computes').replace('scored', 'computed')}`
}

describe.each(FULL ? [{ redis: false }, { redis: true }] : [{ redis: false }])(
  'workers of shards that are stopped (redis: $redis)',
  ({ redis }) => {
    const skip = redis && !hasRedis
    let database: FreshDatabase
    let server: RedisServer | undefined
    let project: TemporaryProject
    let fleet: Fleet
    let whole: Record<Kind, unknown>
    let runs = 0

    beforeAll(async () => {
      if (skip) return
      database = await freshDatabase()
      server = redis ? await startRedis() : undefined
      project = await divisibleProject({ customers: ROWS }, smallModel({ work: 2, width: 256 }))
      const env = { DATABASE_URL: database.url, ...(server === undefined ? {} : { REDIS_URL: server.url }) }
      const at = { project: project.root, env }
      const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
      expect(registered.code, registered.stderr).toBe(0)
      await nightshift(promoting('value', 1), at)
      const { json } = await nightshiftJson(['run', 'value', '--as-of', AS_OF], at)
      whole = {
        scores: await contentOf(join(project.root, String(json.path))),
        features: await contentOf(
          join(project.root, `warehouse/features/activity/as_of=${AS_OF}/features.parquet`),
        ),
      }
      await project.write('features/activity/view.yaml', viewFile({ shards: SHARDS }))
      await project.write(
        'models/value/model.yaml',
        valueModel(`scoring: { shards: ${SHARDS}, min_rows: 500 }
`),
      )
      fleet = openFleet(2, at)
    }, 120_000)
    afterAll(async () => {
      await fleet?.close()
      await server?.remove()
      await project?.remove()
      await database?.drop()
    })

    /** Asks for the night again; the plan for its workers is there before the run is. */
    const ask = async (kind: Kind, stop: Stop): Promise<string> => {
      const id = `N${++runs}shards`
      fleet.plan(id, stop)
      return transaction(database.database, async (client) => {
        const name = kind === 'scores' ? 'value' : 'activity'
        const slot = await ensureSlot(client, kind, name, parseAsOf(AS_OF, 'UTC'), { anew: true })
        const settings = { attempts: 3, backoff_ms: 0, timeout_ms: 120_000, wait_until: null }
        return createRun(client, slot, { id, trigger: 'manual', forced: true, settings })
      })
    }
    const isPublished = async (id: string) => {
      const run = await findRun(database.database.pool, id)
      if (run?.state === 'failed' || run?.state === 'held') throw new Error(JSON.stringify(run.failure))
      return run?.state === 'published'
    }

    const stop = async (kind: Kind, step: Step, signal: Stop['signal']) => {
      const id = await ask(kind, { step, signal, attempts: 1 })
      await secondsUntil(async () => fleet.stopped().some(({ run }) => run === id), { within: 60 })
      const seconds = await secondsUntil(() => isPublished(id), { within: 90 })
      const attempts = await attemptsOf(database.database.pool, id)
      const joined = (JOINS as readonly string[]).includes(step)
      expect(attempts.map(({ outcome }) => outcome)).toEqual(joined ? ['lost', 'published'] : ['published'])
      const shards = await shardsOf(database.database.pool, id, attempts.at(-1)?.number)
      expect(shards.map(({ state }) => state)).toEqual(Array.from({ length: SHARDS }, () => 'done'))
      const run = await findRun(database.database.pool, id)
      const file = join(project.root, 'warehouse', run?.path ?? '')
      expect(await contentOf(file)).toEqual(whole[kind])
      return { id, seconds, file, joined }
    }

    test.skipIf(skip).each(KILLED_AT)(
      'kill -9 $step ($kind): another worker goes on, and the content is the same',
      async ({ kind, step }) => {
        const { seconds, joined } = await stop(kind, step, 'SIGKILL')
        record({
          fault: `kill -9 of a worker of ${shown(kind, step)} (queue in ${redis ? 'Redis' : 'PostgreSQL'})`,
          promise: 'the night is published once, with the content of one attempt',
          happened: joined ? 'the next attempt published it' : 'the same attempt published it',
          seconds,
        })
      },
      180_000,
    )

    test.skipIf(skip || !FULL).each(FROZEN_AT)(
      'SIGSTOP $step ($kind): what goes on later changes nothing',
      async ({ kind, step }) => {
        const { id, seconds, file } = await stop(kind, step, 'SIGSTOP')
        const stopped = fleet.stopped().find(({ run }) => run === id)
        if (stopped === undefined) throw new Error('it was stopped')
        fleet.continue(stopped)
        await secondsUntil(async () => /taken over/.test(fleet.said(stopped.pid)), { within: 60 })
        expect(await contentOf(file)).toEqual(whole[kind])
        expect(await isPublished(id)).toBe(true)
        record({
          fault: `SIGSTOP of a worker of ${shown(kind, step)}, continued when the night is published (queue in ${redis ? 'Redis' : 'PostgreSQL'})`,
          promise: 'the night is published once, with the content of one attempt',
          happened: 'published by another, and left as it is',
          seconds,
        })
      },
      180_000,
    )
  },
)
