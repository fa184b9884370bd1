import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freshDatabase } from '../database/fresh.ts'
import { generatedProject } from '../projects/generated.ts'
import { nightshift, nightshiftJson } from './nightshift.ts'

const SQL = `SELECT customer_id, sum(amount)::FLOAT AS score, count(*)::FLOAT AS orders
FROM events GROUP BY customer_id
`
const MODEL = `model: value
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
consumers: [call centre]
view: activity
inputs: [score, orders]
score: { column: score, min: 0, max: 1 }
`

test('a feature that is named like the scores’ column is compared beside them', async () => {
  const database = await freshDatabase()
  const project = await generatedProject({ customers: 200, sql: SQL })
  try {
    await project.write('models/value/model.yaml', MODEL)
    const at = { project: project.root, env: { DATABASE_URL: database.url } }
    const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
    expect(registered.code, registered.stderr).toBe(0)
    await nightshift(['promote', 'value', '--version', '1'], at)
    for (const asOf of ['2026-03-02', '2026-03-03']) {
      expect((await nightshift(['run', 'value', '--as-of', asOf], at)).code).toBe(0)
      expect((await nightshift(['drift', 'value', '--as-of', asOf], at)).code).toBe(0)
    }
    const { json } = await nightshiftJson(['drift', 'value', '--as-of', '2026-03-03'], at)
    const named = json.map(({ column, score }: { column: string; score: boolean }) => [column, score])
    expect(named).toEqual([
      ['score', false],
      ['orders', false],
      ['score', true],
    ])
  } finally {
    await project.remove()
    await database.drop()
  }
}, 60_000)
