import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { driftOfRun } from '../../../src/monitoring/drift/record.ts'
import { driftCsv } from '../../../src/web/pages/night/tables.ts'
import { freshDatabase } from '../../database/fresh.ts'
import { generatedProject } from '../../projects/generated.ts'
import { promoting } from '../../promoting.ts'
import { nightshift, nightshiftJson } from '../nightshift.ts'

const SQL = `SELECT customer_id, sum(amount)::FLOAT AS score, count(*)::FLOAT AS orders
FROM events GROUP BY customer_id
`
test('a feature that is named like the scores’ column is compared beside them', async () => {
  const database = await freshDatabase()
  const project = await generatedProject({ customers: 200, sql: SQL })
  try {
    const at = { project: project.root, env: { DATABASE_URL: database.url } }
    const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
    expect(registered.code, registered.stderr).toBe(0)
    await nightshift(promoting('value', 1), at)
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
})

test('means of dates and times are dates and times, and a night is called as its partition is', async () => {
  const database = await freshDatabase()
  const project = await generatedProject({
    customers: 200,
    timezone: 'Europe/Berlin',
    sql: `SELECT customer_id, sum(amount)::FLOAT AS spend, count(*)::FLOAT AS orders,
                 min(happened_at)::DATE AS first_day, max(happened_at) AS last_at,
                 CASE WHEN customer_id % 4 > 0 OR $as_of < TIMESTAMP '2026-03-03' THEN 1 END::FLOAT AS gone
            FROM events GROUP BY customer_id`,
  })
  try {
    const model = readFileSync(join(project.root, 'models/value/model.yaml'), 'utf8')
    await project.write(
      'models/value/model.yaml',
      `${model}inputs: [spend, orders]\ndrift: { columns: [spend, first_day, last_at, gone] }\n`,
    )
    const at = { project: project.root, env: { DATABASE_URL: database.url } }
    const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at)
    expect(registered.code, registered.stderr).toBe(0)
    await nightshift(promoting('value', 1), at)
    for (const asOf of ['2026-03-02', '2026-03-03'])
      expect((await nightshift(['run', 'value', '--as-of', asOf], at)).code).toBe(0)
    const { stdout } = await nightshift(['drift', 'value', '--as-of', '2026-03-03'], at)
    expect(stdout).toMatch(/^first_day .* 2026-03-01 +2026-03-01 /m)
    // Nulls that are more than they were say what they were.
    expect(stdout).toMatch(/^spend .* 0 % \(was 0 %\) /m)
    expect(stdout).toMatch(/^gone .* 25 % \(was 0 %\) /m)
    // Features see local time: 12:00 UTC.
    expect(stdout).toMatch(/^last_at .* 2026-03-01 13:00 +2026-03-01 13:00 /m)
    const { json } = await nightshiftJson(['drift', 'value', '--as-of', '2026-03-03'], at)
    expect(json).toEqual(
      json.map((column: object) => ({
        ...column,
        as_of: '2026-03-03',
        partition: '2026-03-03',
        instant: '2026-03-02T23:00:00.000Z',
      })),
    )
    const night = { as_of: '2026-03-03', instant: '2026-03-02T23:00:00.000Z' }
    const { json: runs } = await nightshiftJson(['runs', 'value'], at)
    expect(runs[0]).toMatchObject(night)
    expect((await nightshiftJson(['show', runs[0].run], at)).json).toMatchObject(night)
    expect((await nightshiftJson(['report', 'value', '--as-of', '2026-03-03'], at)).json).toEqual({
      model: 'value',
      as_of: '2026-03-03',
      path: 'reports/value-2026-03-03.html',
    })
    const [spend, day, last] = json
    const noon = Date.UTC(2026, 2, 1, 13) / 1000
    expect(spend).toMatchObject({ type: 'FLOAT', mean_time: null, reference: { mean_time: null } })
    expect(day).toMatchObject({ type: 'DATE', mean_time: '2026-03-01' })
    expect(last).toMatchObject({
      type: 'TIMESTAMP',
      mean: noon,
      mean_time: '2026-03-01T13:00:00',
      reference: { mean: noon, mean_time: '2026-03-01T13:00:00' },
    })
    const csv = driftCsv(await driftOfRun(database.database.pool, last.run))
    expect(csv).toMatch(/^value,2026-03-03,\w+,last_at,.*,2026-03-01T13:00:00,2026-03-01T13:00:00,/m)
  } finally {
    await project.remove()
    await database.drop()
  }
})
