import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { checkModels } from '../../src/actions/check-models.ts'
import { checkViews } from '../../src/actions/check-views.ts'
import { loadProject } from '../../src/project/files/load-project.ts'
import { type Children, openChildren } from '../../src/workers/child/children.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, valueModel, writeParquet } from '../projects/generated.ts'

const MODEL = valueModel()

let project: TemporaryProject
let children: Children
beforeEach(async () => {
  children = openChildren({ places: 1 })
  project = await generatedProject({
    view: `  leaves: { path: data/leaves/*.parquet, kind: events, event_time: left_at }
  contacts: { path: data/contacts/*.parquet, kind: events, event_time: contacted_at }
`,
  })
  for (const [name, time] of Object.entries({ leaves: 'left_at', contacts: 'contacted_at' })) {
    const rows = `SELECT 1::BIGINT AS customer_id, TIMESTAMP '2026-03-01 12:00:00' AS ${time}`
    await writeParquet(join(project.root, `data/${name}/a.parquet`), rows)
  }
})
afterEach(async () => {
  await children.close()
  await project.remove()
})

async function told(): Promise<string[]> {
  const loaded = loadProject(project.root)
  if (loaded.project === undefined) throw new Error(JSON.stringify(loaded.problems))
  const { views, problems } = await checkViews(loaded.project, children)
  problems.push(...(await checkModels(loaded.project, views, children)).problems)
  return problems.map(({ severity, file, line, message }) => `${severity} ${file}:${line} ${message}`)
}

const unread = (name: string, line: number) =>
  `advice features/activity/view.yaml:${line} source ${name} is declared, but neither features.sql nor a model's labels.sql or outcomes read it`

it('says of a source that nothing reads it, with its line', async () => {
  expect(await told()).toEqual([unread('leaves', 6), unread('contacts', 7)])
})

it('is content with a source that labels.sql or outcomes read', async () => {
  const labels = 'SELECT customer_id, count(left_at)::INTEGER AS gone FROM leaves GROUP BY customer_id'
  await project.write('models/value/labels.sql', labels)
  await project.write('models/value/model.yaml', `${MODEL}labels: { sql: labels.sql, horizon: 30d }\n`)
  expect(await told()).toEqual([unread('contacts', 7)])
  await project.write(
    'models/value/model.yaml',
    `${MODEL}labels: { sql: labels.sql, horizon: 30d }
outcomes: { treated: SELECT customer_id FROM contacts }
`,
  )
  expect(await told()).toEqual([])
})

it('binds a model’s own sources, says which is not there, which is not read, and which has a taken name', async () => {
  const at = 'models/value/model.yaml'
  await project.write(
    'models/value/labels.sql',
    'SELECT customer_id, count(*)::INTEGER AS gone FROM ends JOIN leaves USING (customer_id) GROUP BY customer_id',
  )
  const own = (sources: string) => `${MODEL}labels: { sql: labels.sql, horizon: 30d }
sources:
${sources}
outcomes:
  metrics:
    - { name: money, sql: SELECT sum(cost) + (SELECT count(*) FROM scores) FROM costs }
`
  const both = `  ends: { path: own/ends.parquet, kind: static }
  costs: { path: own/costs.parquet, kind: events, event_time: spent_at }
  idle: { path: own/idle.parquet, kind: static }`
  await project.write(at, own(both))
  expect((await told()).filter((line) => line.includes(at))).toEqual([
    expect.stringMatching(
      /^error models\/value\/model.yaml:undefined source ends: expected at least one Parquet file/,
    ),
  ])
  await writeParquet(join(project.root, 'own/ends.parquet'), 'SELECT 1::BIGINT AS customer_id')
  await writeParquet(
    join(project.root, 'own/costs.parquet'),
    `SELECT 1 AS price, TIMESTAMP '2026-03-01' AS spent_at`,
  )
  expect((await told()).filter((line) => line.includes('metrics'))).toEqual([
    expect.stringContaining('expected the name of a column, got: cost; '),
  ])
  await writeParquet(
    join(project.root, 'own/costs.parquet'),
    `SELECT 1 AS cost, TIMESTAMP '2026-03-01' AS spent_at`,
  )
  expect((await told()).filter((line) => line.includes(at))).toEqual([
    `advice ${at}:11 source idle is declared, but neither labels.sql nor outcomes read it`,
  ])
  await project.write(
    at,
    own(
      '  Leaves: { path: own/ends.parquet, kind: static }\n  scores: { path: own/ends.parquet, kind: static }',
    ),
  )
  const { problems } = loadProject(project.root)
  expect(problems.map(({ message }) => message).filter((message) => message.includes('sources has'))).toEqual(
    [
      'sources has Leaves, and view activity has a source leaves, which labels.sql and outcomes also see: rename one',
      'sources has scores, the name of a table that every night has (scores, labels, treated, control, features): choose another',
    ],
  )
})

it('says of labels and groups that they could not be joined, with line, file, got and expected', async () => {
  const at = 'models/value/model.yaml'
  const labels = `SELECT customer_id::VARCHAR AS customer_id,
  count(left_at)::INTEGER AS gone FROM leaves GROUP BY ALL`
  await project.write('models/value/labels.sql', labels)
  await project.write(
    at,
    `${MODEL}labels: { sql: labels.sql, horizon: 30d }
outcomes:
  treated: SELECT 'a' || customer_id AS customer_id FROM contacts
  control: SELECT contacted_at FROM contacts
`,
  )
  const wrong =
    'expected customer_id to be BIGINT, as in the features, got: VARCHAR; they cannot be joined: cast it'
  expect(await told()).toEqual([
    `error models/value/labels.sql:1 ${wrong}`,
    `error ${at}:9 outcomes.treated: ${wrong}`,
    `error ${at}:10 outcomes.control: expected the entity (customer_id) alone, one row for each that belongs to the group, got: contacted_at`,
  ])
  await project.write('models/value/labels.sql', 'SELECT count(left_at)::INTEGER AS gone FROM leaves')
  expect((await told())[0]).toBe(
    'error models/value/labels.sql:undefined expected the entity (customer_id) and one more column, the label, got: gone',
  )
})

it('refuses to watch the entity for drift, which has another value in every row', async () => {
  await project.write('models/value/model.yaml', `${MODEL}drift: { columns: [spend, customer_id] }\n`)
  expect((await told()).filter((line) => line.startsWith('error'))).toEqual([
    'error models/value/model.yaml:7 drift.columns: expected columns of view activity (spend, orders), got: customer_id, the entity',
  ])
})

it('tells a figure of the tables of a night, not of declared sources', async () => {
  const sql = 'SELECT customer_id, count(left_at)::INTEGER AS gone FROM leaves GROUP BY customer_id'
  await project.write('models/value/labels.sql', sql)
  await project.write(
    'models/value/model.yaml',
    `${MODEL}labels: { sql: labels.sql, horizon: 30d }
outcomes:
  metrics:
    - { name: called, sql: SELECT count(*) FROM contacts }
    - { name: read, sql: "SELECT count(*) FROM 'a.parquet'" }
`,
  )
  const legal = 'scores, labels, treated, control, features'
  const wanted = 'expected the name of a table of the night, got:'
  expect((await told()).filter((line) => line.startsWith('error'))).toEqual([
    `error models/value/model.yaml:10 outcomes.metrics called: ${wanted} contacts; legal are: ${legal}`,
    `error models/value/model.yaml:11 outcomes.metrics read: ${wanted} a.parquet; files are not read; legal are: ${legal}`,
  ])
})
