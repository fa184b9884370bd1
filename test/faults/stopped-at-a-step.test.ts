import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requestFeatures } from '../../src/jobs/request-run.ts'
import { readRunId } from '../../src/pipeline/partition/footer.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject } from '../projects/generated.ts'
import { type Fleet, openFleet, STEPS, type Stop, type Stopped } from './fleet.ts'
import { record, secondsUntil } from './record.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
/** Of each fault in the full form. Fewer take less than the hours that these take. */
const TRIES = Number(process.env.NIGHTSHIFT_FAULTS_TRIES ?? 50)
const KILLS = FULL ? TRIES : 1
const FREEZES = FULL ? Math.ceil(TRIES / 10) : 1
const NIGHTS = FULL ? TRIES * 4 : 4
/** In the short form the last step that needs somebody else; killed-worker.test.ts has an earlier one. */
const KILLED_AT = FULL ? STEPS : [STEPS[6]]
const FROZEN_AT = FULL ? [STEPS[1], STEPS[3], STEPS[5], STEPS[6]] : [STEPS[5]]
const ATTEMPTS = FULL ? 3 : 2
/** Nights whose workers are stopped at once: hundreds one after the other take hours, most of them for leases to end. */
const AT_ONCE = FULL ? 4 : 1
/** Stopped at the same step of the same view: none may hold up another's night. */
const FROZEN_AT_ONCE = FULL ? 3 : 1
const ROWS = 100

describe.each(FULL ? [{ redis: false }, { redis: true }] : [{ redis: false }])(
  'workers that are stopped (redis: $redis)',
  ({ redis }) => {
    const skip = redis && !hasRedis
    const backend = redis ? 'Redis' : 'PostgreSQL'
    let database: FreshDatabase
    let server: RedisServer | undefined
    let project: TemporaryProject
    let fleet: Fleet
    let night = Temporal.PlainDate.from('2026-03-02')

    beforeAll(async () => {
      if (skip) return
      database = await freshDatabase()
      server = redis ? await startRedis() : undefined
      project = await generatedProject({ customers: ROWS })
      const env = { DATABASE_URL: database.url, ...(server === undefined ? {} : { REDIS_URL: server.url }) }
      fleet = openFleet(AT_ONCE + 1, { project: project.root, env })
    })
    afterAll(async () => {
      await fleet?.close()
      await server?.remove()
      await project?.remove()
      await database?.drop()
    })

    /** Asks for a night's features; the plan for its workers is there before the run is. */
    async function ask(stop?: Stop): Promise<string> {
      const label = night.toString()
      night = night.add({ days: 1 })
      const id = `${label.replaceAll('-', '')}N`
      if (stop !== undefined) fleet.plan(id, stop)
      await requestFeatures(database.database, 'activity', parseAsOf(label, 'UTC'), {
        id,
        trigger: 'manual',
        settings: { attempts: ATTEMPTS, backoff_ms: 0, timeout_ms: 60_000, wait_until: null },
      })
      return id
    }

    interface Ended {
      id: string
      partition: string
      state: string
      attempts: { outcome: string; started: number; ended: number }[]
      published: number
      standings: number
    }

    async function untilOver(runs: string[], within: number): Promise<Ended[]> {
      let ended: Ended[] = []
      await secondsUntil(
        async () => {
          ended = await read(runs)
          return ended.every(({ state }) => ['published', 'failed', 'held'].includes(state))
        },
        { within },
      ).catch((error: unknown) => {
        throw new Error(`not over: ${JSON.stringify(ended)}`, { cause: error })
      })
      return ended
    }

    async function read(runs: string[]): Promise<Ended[]> {
      const { rows } = await database.database.pool.query<Ended>(
        `select r.id, r.partition, r.state,
                (select json_agg(json_build_object('outcome', a.outcome, 'started', ${ms('a.started_at')},
                                                   'ended', ${ms('a.ended_at')}) order by a.number)
                   from nightshift.attempts a where a.run = r.id) as attempts,
                ${ms('r.ended_at')} as published,
                (select count(*)::int from nightshift.standings t where t.run = r.id) as standings
           from nightshift.runs r where r.id = any($1) order by r.id`,
        [runs],
      )
      return rows
    }

    /** Does something with each, so many of them at a time; the first failure ends all, once what was begun has settled. */
    async function inLanes<T>(items: T[], size: number, work: (item: T) => Promise<void>): Promise<void> {
      const left = [...items]
      const lane = async () => {
        try {
          for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
        } catch (error) {
          left.length = 0
          throw error
        }
      }
      const lanes = await Promise.allSettled(Array.from({ length: size }, lane))
      for (const { status, ...ended } of lanes)
        if (status === 'rejected' && 'reason' in ended) throw ended.reason
    }

    /** Published once, whole, and nothing is left of its attempts. */
    async function expectWhole(run: Ended): Promise<void> {
      expect(run, JSON.stringify(run)).toMatchObject({ state: 'published', standings: 1 })
      const folder = join(project.root, 'warehouse/features/activity', `as_of=${run.partition}`)
      expect(readdirSync(folder)).toEqual(['features.parquet'])
      expect(await readRunId(join(folder, 'features.parquet'))).toBe(run.id)
      for (const number of run.attempts.keys()) {
        expect(existsSync(join(project.root, 'warehouse/.attempts', `${run.id}-a${number + 1}`))).toBe(false)
      }
    }

    /** From the stop to the next attempt, or where there is none to the publication. */
    function seconds(run: Ended, { attempt, at }: Stopped): number {
      return ((run.attempts[attempt]?.started ?? run.published) - at) / 1000
    }

    test.skipIf(skip)(
      'killed at any step, each night is published once and whole by the next worker',
      async () => {
        const stops = KILLED_AT.flatMap((step) => Array.from({ length: KILLS }, () => step))
        // One worker more than are stopped: nothing waits for a place.
        await inLanes(stops, AT_ONCE, async (step) => {
          const id = await ask({ step, signal: 'SIGKILL', attempts: 1 })
          const [run] = await untilOver([id], 200)
          const kill = fleet.stopped().find((each) => each.run === id)
          if (run === undefined || kill === undefined) throw new Error(`${id} was not killed`)
          await expectWhole(run)
          const committed = run.attempts.length === 1
          record({
            fault: `kill -9 of a worker ${step} (queue in ${backend})`,
            promise: 'published once and whole; the next attempt, if one is needed, starts within 15 s',
            happened: committed ? 'published by the next worker' : 'lost, then published by the next attempt',
            seconds: Math.max(0, seconds(run, kill)),
          })
        })
      },
      FULL ? 3_600_000 : 600_000,
    )

    test.skipIf(skip)(
      'stopped past its lease, a worker that goes on changes nothing of what another has published',
      async () => {
        const stops = FROZEN_AT.flatMap((step) => Array.from({ length: FREEZES }, () => step))
        await inLanes(stops, FROZEN_AT_ONCE, async (step) => {
          const id = await ask({ step, signal: 'SIGSTOP', attempts: 1 })
          const [before] = await untilOver([id], 180)
          if (before === undefined) throw new Error('the run is gone')
          await expectWhole(before)
          const frozen = fleet.stopped().find(({ run }) => run === id)
          if (frozen === undefined) throw new Error(`${id} was not stopped`)
          const said = fleet.said(frozen.pid).length
          fleet.continue(frozen)
          const line = new RegExp(`"run":"${id}","attempt":1.*"msg":"(.*)"`)
          await secondsUntil(async () => line.test(fleet.said(frozen.pid).slice(said)), { within: 90 })
          const [after] = await read([id])
          expect(after).toEqual(before)
          await expectWhole(before)
          record({
            fault: `SIGSTOP of a worker past its lease ${step}, then SIGCONT (queue in ${backend})`,
            promise:
              'another worker publishes the night within 30 s; the one that comes back changes nothing',
            happened: 'published by another worker; nothing was changed',
            seconds: seconds(before, frozen),
          })
          process.kill(frozen.pid, 'SIGTERM')
        })
      },
      FULL ? 3_600_000 : 600_000,
    )

    // Takes 20 s and more: each attempt begins after the backoff of the one before.
    test.skipIf(skip)(
      'a run that kills each of its workers stops after its attempts, and is told',
      async () => {
        const id = await ask({ step: 'while it computes', signal: 'SIGKILL', attempts: 99 })
        const [poison] = await untilOver([id], 150)
        expect(poison).toMatchObject({ state: 'failed', standings: 0 })
        expect(poison?.attempts.map(({ outcome }) => outcome)).toEqual(
          Array.from({ length: ATTEMPTS }, () => 'lost'),
        )
        const { rows } = await database.database.pool.query(
          `select i.kind, i.detail->'facts'->>'partition' as partition from nightshift.incidents i where closed_at is null`,
        )
        expect(rows).toContainEqual({ kind: 'transient', partition: poison?.partition })
        const first = fleet.stopped().find((each) => each.run === id && each.attempt === 1)
        record({
          fault: `a poison job: each worker that takes it dies (queue in ${backend})`,
          promise: 'it stops after retry.attempts, and somebody is told',
          happened: `failed after ${ATTEMPTS} attempts, with an incident`,
          seconds: ((poison?.published ?? 0) - (first?.at ?? 0)) / 1000,
        })
      },
    )

    test.skipIf(skip)(
      'workers that are restarted in turn under load lose no night and compute none twice',
      async () => {
        const runs: string[] = []
        for (let each = 0; each < NIGHTS; each++) runs.push(await ask())
        const begun = performance.now()
        const over = async () => (await read(runs)).every(({ state }) => state === 'published')
        const gone = await fleet.roll(over)
        expect(gone.length).toBeGreaterThan(0)
        for (const { code, stderr } of gone) expect(code, stderr).toBe(0)
        for (const run of await read(runs)) {
          await expectWhole(run)
          const outcomes = run.attempts.map(({ outcome }) => outcome)
          expect(outcomes.at(-1)).toBe('published')
          expect(new Set(outcomes.slice(0, -1))).toEqual(new Set(outcomes.length > 1 ? ['handed back'] : []))
        }
        record({
          fault: `workers are restarted in turn while ${runs.length} nights wait (queue in ${backend})`,
          promise: 'no night is lost, none is published twice, and no attempt counts as failed',
          happened: 'each published once',
          seconds: (performance.now() - begun) / 1000,
        })
      },
      FULL ? 1_800_000 : 600_000,
    )
  },
)

function ms(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::float`
}
