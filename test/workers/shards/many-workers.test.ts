import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attemptsOf } from '../../../src/ledger/nights/run-records.ts'
import { shardsOf } from '../../../src/ledger/shards/split-records.ts'
import { nightshift, nightshiftJson } from '../../cli/nightshift.ts'
import { hasRedis } from '../../jobs/redis-server.ts'
import { divisibleProject, viewFile } from '../../projects/divisible.ts'
import { valueModel } from '../../projects/generated.ts'
import { promoting } from '../../promoting.ts'
import { type Crew, openCrew } from './crew.ts'

const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const ROWS = 8_000
const SHARDS = 4
const AS_OF = '2026-03-02'
/** Workers read the files again after a second. */
const READ_AGAIN_MS = 1_500

// Each starts four workers and computes a night up to four times, of scores and of features.
describe.each([{ redis: false }, { redis: true }])('a night in shards (redis: $redis)', ({ redis }) => {
  const skip = redis && !hasRedis
  // Another queue is another way to the workers: how many take from it is the ledger's affair.
  const counts = redis && !FULL ? [4] : [1, 2, 4]
  let crew: Crew
  beforeAll(async () => {
    if (skip) return
    crew = await openCrew(await divisibleProject({ customers: ROWS }), { redis })
    const registered = await nightshift(['register', 'value', join(crew.project.root, 'model.onnx')], crew.at)
    expect(registered.code, registered.stderr).toBe(0)
    await nightshift(promoting('value', 1), crew.at)
    const refreshed = await nightshift(['refresh', 'activity', '--as-of', AS_OF], crew.at)
    expect(refreshed.code, refreshed.stderr).toBe(0)
  })
  afterAll(() => crew?.close())

  const lastShards = async (run: string) => {
    const attempts = await attemptsOf(crew.database.pool, run)
    return { attempt: attempts.at(-1), shards: await shardsOf(crew.database.pool, run, attempts.length) }
  }

  test.skipIf(skip)(
    `the content is that of one attempt, with ${counts.join(', ')} workers`,
    async () => {
      const { project, database, at } = crew
      await crew.hire(1)
      const scores = () => crew.compute('scores', 'value', AS_OF)
      const features = () => crew.compute('features', 'activity', AS_OF)
      const whole = { scores: await scores(), features: await features() }
      expect(await shardsOf(database.pool, whole.scores.run.id)).toEqual([])
      expect(await shardsOf(database.pool, whole.features.run.id)).toEqual([])
      await project.write('features/activity/view.yaml', viewFile({ shards: SHARDS }))
      await project.write(
        'models/value/model.yaml',
        valueModel(`scoring: { shards: ${SHARDS}, min_rows: 1000 }
`),
      )
      await sleep(READ_AGAIN_MS)
      for (const count of counts) {
        await crew.hire(count)
        const computed = await features()
        expect(computed.content).toEqual(whole.features.content)
        const { inputs, checks, view_hash, rows, content, metadata } = computed.run
        const single = whole.features.run
        expect({ inputs, checks, view_hash, rows }).toEqual({
          inputs: single.inputs,
          checks: single.checks,
          view_hash: single.view_hash,
          rows: ROWS,
        })
        expect(content).not.toBeNull()
        expect(Object.keys(metadata ?? {})).toEqual(Object.keys(single.metadata ?? {}))
        const divided = await lastShards(computed.run.id)
        expect(divided.shards.map(({ state, buckets }) => ({ state, buckets: buckets?.length }))).toEqual(
          Array.from({ length: SHARDS }, () => ({ state: 'done', buckets: 2 })),
        )
        expect(divided.shards.reduce((sum, each) => sum + (each.rows ?? 0), 0)).toBe(ROWS)
        expect(divided.attempt?.steps.map(({ step }) => step)).toContain('join: entities')

        const scored = await scores()
        expect(scored.content).toEqual(whole.scores.content)
        expect(scored.run.rows).toBe(ROWS)
        const { attempt, shards } = await lastShards(scored.run.id)
        expect(shards.map(({ shard, state, rows: own }) => ({ shard, state, rows: own }))).toEqual(
          Array.from({ length: SHARDS }, (_, index) => ({
            shard: index + 1,
            state: 'done',
            rows: ROWS / SHARDS,
          })),
        )
        expect(attempt?.steps.filter(({ step }) => step.startsWith('shards: '))).toHaveLength(SHARDS)
        expect(attempt?.usage?.memory).toBeGreaterThan(0)
      }
      const { json } = await nightshiftJson(['show', `value:${AS_OF}`], at)
      expect(json.shards[3]).toMatchObject({ shard: 4, first_row: 6_000, rows: 2_000, state: 'done' })
      const night = await nightshift(['show', `activity:${AS_OF}`], at)
      expect(night.stdout).toMatch(/attempt +shard +buckets +rows +state/)
      expect(night.stdout).toMatch(/1 +4 +6 to 7, \d+(\.\d+)? kB +2,?000 +done/i)
      const shown = await nightshift(['workers'], at)
      expect(shown.stdout.match(/^worker-/gm)).toHaveLength(4)
      // A command without workers of its own asks them; what it compares is computed at once.
      const parity = await nightshiftJson(['parity', 'value', '--as-of', AS_OF], at)
      expect(parity.json).toMatchObject({ rows: ROWS, differing: 0 })
    },
    240_000,
  )
})
