import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ended, nightshift, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, writeParquet } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { record } from './record.ts'

const MODELS = ['value', 'reach', 'tenure']
const NIGHTS = 3
const RANGE = ['--from', '2026-03-02', '--to', `2026-03-0${NIGHTS + 1}`]

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject()
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  for (const model of MODELS) {
    await project.write(
      `models/${model}/model.yaml`,
      `model: ${model}\nowner: crm@example.com\non_call: [oncall@example.com]\nview: activity\nscore: { column: score, min: 0, max: 1 }\n`,
    )
    const { code, stderr } = await nightshift(['register', model, join(project.root, 'model.onnx')], at)
    expect(code, stderr).toBe(0)
    await nightshift(promoting(model, 1), at)
  }
})
afterAll(async () => {
  await project.remove()
  await database.drop()
})

/** Backfills of all models, 1.5 s apart, each followed by a process of its own. */
async function backfillAll(mode: string[]): Promise<void> {
  const under = []
  for (const model of MODELS) {
    under.push(ended(start(['backfill', model, ...RANGE, ...mode, '--yes', '--json'], at)))
    await sleep(1_500)
  }
  for (const { code, stdout, stderr } of await Promise.all(under)) {
    expect(code, stderr).toBe(0)
    expect(JSON.parse(stdout).published, stdout).toBe(NIGHTS)
  }
}

async function runsByNight(kind: string): Promise<Record<string, number>> {
  const { rows } = await database.database.pool.query<{ night: string; n: number }>(
    `select name || ' ' || partition as night, count(*)::int as n from nightshift.runs
      where kind = $1 and state = 'published' group by 1`,
    [kind],
  )
  return Object.fromEntries(rows.map(({ night, n }) => [night, n]))
}

async function stale(): Promise<string[]> {
  const { json } = await nightshiftJson(['status', '--days', '400'], at)
  return json.filter((row: { stale: string | null }) => row.stale !== null)
}

test('three backfills of models that share a view, started apart, refresh each night of it once', async () => {
  const begun = performance.now()
  await backfillAll([])
  const features = await runsByNight('features')
  expect(Object.values(features)).toEqual(Array(NIGHTS).fill(1))
  expect(Object.values(await runsByNight('scores'))).toEqual(Array(NIGHTS * MODELS.length).fill(1))
  expect(await stale()).toEqual([])
  record({
    fault: 'three backfills of models that share a view, 1.5 s apart',
    promise: 'each night of the view is refreshed once, and no scores are stale',
    happened: 'once each, none stale',
    seconds: (performance.now() - begun) / 1000,
  })
}, 600_000)

test('they refresh it once more, each night, where all of it has become stale', async () => {
  await writeParquet(
    join(project.root, 'data/events/date=2026-03-01/late.parquet'),
    `SELECT 5::BIGINT AS customer_id, TIMESTAMP '2026-03-01 13:00:00' AS happened_at, 70::DOUBLE AS amount`,
  )
  await backfillAll(['--all'])
  expect(Object.values(await runsByNight('features'))).toEqual(Array(NIGHTS).fill(2))
  expect(await stale()).toEqual([])
}, 600_000)
