import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshDatabase } from '../database/fresh.ts'
import { hasRedis, startRedis } from '../jobs/redis-server.ts'
import { CDNOW, cdnowProject, HAS_CDNOW, type TemporaryProject } from '../projects/cdnow.ts'
import { promoting } from '../promoting.ts'
import { nightshift, nightshiftJson } from './nightshift.ts'

/** P(lapsed) as scikit-learn gives it, by customer. */
function expectedScores(): Map<number, { v1: number; v2: number }> {
  const [, ...lines] = readFileSync(join(CDNOW, 'expected_scores_1998-04-01.csv'), 'utf8').trim().split('\n')
  return new Map(
    lines.map((line) => {
      const [customer, v1, v2] = line.split(',').map(Number)
      return [customer ?? 0, { v1: v1 ?? 0, v2: v2 ?? 0 }]
    }),
  )
}

async function readScores(path: string): Promise<Record<string, unknown>[]> {
  const file = await asyncBufferFromFile(path)
  return parquetReadObjects({ file, compressors })
}

function largestDifference(rows: Record<string, unknown>[], version: 'v1' | 'v2'): number {
  const expected = expectedScores()
  return Math.max(
    ...rows.map((row) =>
      Math.abs(
        Number(row.lapse_probability) - (expected.get(Number(row.customer_id))?.[version] ?? Number.NaN),
      ),
    ),
  )
}

const backends = [
  { name: 'the embedded default', redis: false },
  { name: 'a real Redis', redis: true },
]

describe.each(backends)('cdnow, on $name', ({ redis }) => {
  let project: TemporaryProject
  let env: Record<string, string>
  const releases: (() => Promise<unknown>)[] = []
  const at = ['--as-of', '1998-04-01']
  const skip = !HAS_CDNOW || (redis && !hasRedis)

  beforeAll(async () => {
    if (skip) return
    const database = await freshDatabase()
    releases.push(() => database.drop())
    project = await cdnowProject()
    releases.push(() => project.remove())
    env = { DATABASE_URL: database.url }
    if (redis) {
      const server = await startRedis()
      releases.push(() => server.remove())
      env.REDIS_URL = server.url
    }
  })
  afterAll(async () => {
    for (const release of releases.reverse()) await release()
  })

  test.skipIf(skip)('registers both models, each with the shape it was written in', async () => {
    const v1 = await nightshiftJson(['register', 'lapse', join(CDNOW, 'lapse_v1_gbdt.onnx')], {
      project: project.root,
      env,
    })
    expect(v1.json).toMatchObject({ version: 1, tried: expect.any(Number) })
    const v2 = await nightshiftJson(['register', 'lapse', join(CDNOW, 'lapse_v2_logreg_zipmap.onnx')], {
      project: project.root,
      env,
    })
    expect(v2.json).toMatchObject({ version: 2 })
    const again = await nightshiftJson(['register', 'lapse', join(CDNOW, 'lapse_v1_gbdt.onnx')], {
      project: project.root,
      env,
    })
    expect(again.json).toMatchObject({ version: 1, known: true })
  })

  test.skipIf(skip).each([
    ['v1', 1],
    ['v2', 2],
  ] as const)('publishes the scores that scikit-learn gives for %s', async (name, version) => {
    await nightshift(promoting('lapse', version), { project: project.root, env })
    const { code, json } = await nightshiftJson(['run', 'lapse', ...at], { project: project.root, env })
    expect({ code, ...json }).toMatchObject({
      code: 0,
      state: 'published',
      version,
      rows: 2357,
      attempts: 1,
      failure: null,
    })
    const path = join(project.root, json.path)
    const rows = await readScores(path)
    expect(rows).toHaveLength(2357)
    expect(largestDifference(rows, name)).toBeLessThan(1e-6)
    expect(rows[0]).toEqual({
      customer_id: 1n,
      lapse_probability: expect.any(Number),
      decision: true,
      version,
    })
    const { key_value_metadata } = await parquetMetadataAsync(await asyncBufferFromFile(path))
    const metadata = Object.fromEntries((key_value_metadata ?? []).map(({ key, value }) => [key, value]))
    expect(metadata).toMatchObject({
      model: 'lapse',
      version: String(version),
      run: json.run,
      as_of: '1998-04-01',
    })
  })

  test.skipIf(skip)('does nothing the second time, and says why', async () => {
    const again = await nightshift(['run', 'lapse', ...at], { project: project.root, env })
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing to do, the partition exists and its inputs are unchanged'),
    })
  })

  test.skipIf(skip)('replaces the partition as a whole when forced, with the same content', async () => {
    const path = join(project.root, 'warehouse/scores/lapse/as_of=1998-04-01/scores.parquet')
    const before = await readScores(path)
    const { json } = await nightshiftJson(['run', 'lapse', ...at, '--force'], { project: project.root, env })
    expect(json.state).toBe('published')
    expect(await readScores(path)).toEqual(before)
  })
})
