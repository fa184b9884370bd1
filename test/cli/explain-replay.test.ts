import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { readRows } from '../pipeline/feature-case.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, smallModel, writeDay } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { nightshift, nightshiftJson } from './nightshift.ts'

const AS_OF = '2026-03-02'
/** Two columns name a row: a text with an apostrophe and a slash in it, and a number. */
const SQL = `SELECT 'O''Hara/' || (customer_id % 3) AS region, customer_id, sum(amount)::FLOAT AS spend, count(*)::FLOAT AS orders
FROM events GROUP BY ALL
`
let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject({ sql: SQL })
  await project.write(
    'features/activity/view.yaml',
    `view: activity
entity: [region, customer_id]
owner: data@example.com
sources:
  events: { path: data/events/**/*.parquet, kind: events, event_time: happened_at }
`,
  )
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  const { code, stderr } = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
  expect(code, stderr).toBe(0)
  await nightshift(promoting('value', 1), at)
  const run = await nightshift(['run', 'value', '--as-of', AS_OF], at)
  expect(run.code, run.stderr).toBe(0)
})
afterAll(async () => {
  await project.remove()
  await database.drop()
})

async function runOf(name: string): Promise<string> {
  const { json } = await nightshiftJson(['runs', name, '--state', 'published', '--limit', '1'], at)
  return json[0].run
}

describe('explain', () => {
  test('says what one score was made of, and by whom', async () => {
    const { code, json, stderr } = await nightshiftJson(
      ['explain', 'value', "O'Hara/1/4", '--as-of', AS_OF],
      at,
    )
    expect(code, stderr).toBe(0)
    const published = await readRows(
      join(project.root, `warehouse/scores/value/as_of=${AS_OF}/scores.parquet`),
    )
    const row = published.find((each) => each.customer_id === '4')
    expect(json).toMatchObject({
      entity: { region: "O'Hara/1", customer_id: 4 },
      score: Number(row?.score),
      version: 1,
      run: await runOf('value'),
      features_run: await runOf('activity'),
      features: { spend: 4, orders: 1 },
      inputs_of_model: ['spend', 'orders'],
      notes: [],
      reasons: { method: 'occlusion', unit: 'score', background: 100 },
    })
    // The score is 1 / (1 + exp(orders - spend)); every customer has one order, and a spend of 3 is typical.
    const effect = 1 / (1 + Math.exp(1 - 4)) - 1 / (1 + Math.exp(1 - 3))
    expect(json.reasons.effects).toEqual([{ column: 'spend', effect: expect.closeTo(effect, 6), typical: 3 }])
    expect(json.inputs).toMatchObject([
      { source: 'events', path: 'data/events/date=2026-03-01/events.parquet', rows: 100 },
    ])
    const { stdout } = await nightshift(['explain', 'value', "O'Hara/1/4", '--as-of', AS_OF], at)
    expect(stdout).toContain("value 2026-03-02, region O'Hara/1, customer_id 4: 0.9526\n")
    expect(stdout).toMatch(/^spend +4 +3 +\+0\.07178$/m)
  })

  test('names who there is where the entity is not there, and the columns where one is missing', async () => {
    const unknown = await nightshift(['explain', 'value', "O'Hara/1/5", '--as-of', AS_OF], at)
    expect(unknown).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("got: O'Hara/1/5; the nearest are O'Hara/1/1, O'Hara/1/25, O'Hara/1/4"),
    })
    // A number is a number, however it is written.
    const { json } = await nightshiftJson(['explain', 'value', "O'Hara/1/04", '--as-of', AS_OF], at)
    expect(json.entity).toEqual({ region: "O'Hara/1", customer_id: 4 })
    const half = await nightshift(['explain', 'value', '4', '--as-of', AS_OF], at)
    expect(half).toMatchObject({ code: 2, stderr: expect.stringContaining('region/customer_id, got: 4') })
    const night = await nightshift(['explain', 'value', 'x/1', '--as-of', '2026-03-01'], at)
    expect(night).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nightshift run value --as-of 2026-03-01'),
    })
  })
})

describe('replay', () => {
  test('of features and of scores gives the same content', async () => {
    for (const [name, values] of [
      ['activity', 200],
      ['value', 200],
    ] as const) {
      const { code, json, stderr } = await nightshiftJson(['replay', await runOf(name)], at)
      expect(code, stderr).toBe(0)
      expect(json).toMatchObject({ name, same: true, values, differing: 0, notes: [] })
    }
  })

  test('of scores whose features were published again says what differs', async () => {
    const run = await runOf('value')
    // A second version takes the night over: the first one's scores are kept, and are still what they were.
    writeFileSync(join(project.root, 'second.onnx'), smallModel({ work: 1 }))
    await nightshift(['register', 'value', join(project.root, 'second.onnx')], at)
    await nightshift(promoting('value', 2), at)
    await nightshift(['run', 'value', '--as-of', AS_OF], at)
    const kept = await nightshiftJson(['replay', run], at)
    expect(kept.json).toMatchObject({ run, same: true, differing: 0 })

    // Late rows, and features that are published again: the same run scored something else.
    await writeDay(project.root, '2026-02-28', 50)
    await nightshift(['refresh', 'activity', '--as-of', AS_OF], at)
    const { code, json } = await nightshiftJson(['replay', run], at)
    expect(code).toBe(1)
    expect(json).toMatchObject({ run, same: false })
    expect(json.differing).toBeGreaterThan(0)
    expect(json.by_column[0].examples.length).toBeGreaterThan(0)
    expect(json.notes[0]).toContain('the features were published again since')
  })

  test('of scores whose view was edited since is refused, with both hashes', async () => {
    const run = await runOf('value')
    await project.write('features/activity/features.sql', SQL.replace('sum(amount)', 'max(amount)'))
    await nightshift(['refresh', 'activity', '--as-of', AS_OF, '--force'], at)
    const refused = await nightshift(['replay', run], at)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/as [0-9a-f]{12}, run \w+ has replaced them since, as [0-9a-f]{12}/)
    const explained = await nightshiftJson(['explain', 'value', "O'Hara/1/4", '--as-of', AS_OF], at)
    expect(explained.json.notes[0]).toContain('the features were published again since')
    // Its features are replayed by the definition that stands now, which is what differs.
    await project.write('features/activity/features.sql', SQL)
    const features = await nightshiftJson(['replay', await runOf('activity')], at)
    expect(features).toMatchObject({
      code: 1,
      json: { same: false, summary: expect.stringContaining('definition') },
    })
  })

  test('of a run that published nothing, and of one that is not there, is refused', async () => {
    expect(await nightshift(['replay', 'nothing'], at)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected the id of a run, got: nothing'),
    })
  })
})
