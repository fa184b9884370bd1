import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadProject } from '../../src/project/load.ts'
import { checkModels } from '../../src/workers/check-models.ts'
import { checkViews } from '../../src/workers/check-views.ts'
import { type Children, openChildren } from '../../src/workers/children.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, writeParquet } from '../projects/generated.ts'

const MODEL = `model: value
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
view: activity
score: { column: score, min: 0, max: 1 }
`

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
  problems.push(...(await checkModels(loaded.project, views, children)))
  return problems.map(({ severity, file, line, message }) => `${severity} ${file}:${line} ${message}`)
}

const unread = (name: string, line: number) =>
  `advice features/activity/view.yaml:${line} source ${name} is declared, and neither features.sql nor a model's labels.sql or outcomes read it`

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
