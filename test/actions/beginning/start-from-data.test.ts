import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startFromData } from '../../../src/actions/beginning/start-from-data.ts'
import { logisticModel } from '../../../src/pipeline/onnx/logistic-model.ts'
import { loadProject } from '../../../src/project/files/load-project.ts'
import { ConfigurationError } from '../../../src/project/files/problem.ts'
import { writeParquet } from '../../pipeline/feature-case.ts'

let folder: string
let root: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-begin-'))
  root = join(folder, 'project')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const start = (
  data: string[],
  more: { root?: string; model?: string; entity?: string[]; features?: string } = {},
) =>
  startFromData({
    root,
    data,
    model: undefined,
    entity: undefined,
    features: undefined,
    today: '2026-11-22',
    ...more,
  })
const read = (path: string) => readFileSync(join(root, path), 'utf8')

describe('a project over data that is there', () => {
  it('is valid where one table has numbers for the entity and another one text', async () => {
    const [users, log] = [join(folder, 'users.parquet'), join(folder, 'log.parquet')]
    await writeParquet(users, "SELECT i AS user_id, 'de' AS land FROM range(60) t(i)")
    await writeParquet(
      log,
      "SELECT (i % 60)::VARCHAR AS user_id, TIMESTAMP '2026-10-01' + to_hours(i) AS seen_at FROM range(900) t(i)",
    )
    expect((await start([users, log])).problems).toEqual([])
    expect(read('models/lapsed/labels.sql')).toContain('SELECT try_cast(user_id AS BIGINT) AS user_id, ')
    expect(loadProject(root).problems.filter(({ severity }) => severity === 'error')).toEqual([])
  })

  it('sums no days that are written as numbers, and says how another time is read', async () => {
    const orders = join(folder, 'orders.csv')
    const line = (i: number) => {
      const day = new Date(Date.UTC(2026, 5, 1 + (i % 150))).toISOString().slice(0, 10)
      return `${i % 40},${day} 10:00:00,${day.replaceAll('-', '')},${day.split('-').reverse().join('.')},${i % 9}.5`
    }
    writeFileSync(
      orders,
      `customer_id,ordered_at,ship_date,bill_day,amount\n${Array.from({ length: 600 }, (_, i) => line(i)).join('\n')}\n`,
    )
    const { left_out } = await start([orders])
    const sql = read('features/customer_features/features.sql')
    expect(sql).toContain('sum(amount)')
    expect(sql).not.toContain('ship_date')
    expect(left_out).toEqual([
      "orders.ship_date: another time, text like 20261122: try_strptime(ship_date, '%Y%m%d')::DATE reads it",
      "orders.bill_day: another time, text like 22.11.2026: try_strptime(bill_day, '%d.%m.%Y')::DATE reads it",
    ])
  })

  it('is valid, runs, and says what it left out: dirty numbers, names with capitals, a label', async () => {
    const rows = Array.from(
      { length: 200 },
      (_, i) =>
        `C-${i},${i % 2 === 0 ? 'Yes' : 'No'},${i},${i === 7 ? ' ' : i * 1.5},"Note number ${i}",0${1000 + i},${i % 5 === 0 ? 'Yes' : 'No'}`,
    )
    const csv = join(folder, 'Customers 2026.csv')
    writeFileSync(csv, `customerID,Partner,tenure,TotalCharges,Remark,Zip,Churn\n${rows.join('\n')}\n`)
    const started = await start([csv])
    expect(started).toMatchObject({
      view: 'customer_features',
      model: 'churn',
      entity: ['customerID'],
      as_of: '2026-11-22',
      rows: 200,
      problems: [],
    })
    expect(started.left_out).toEqual([
      'customers.Remark: a text of about 200 different values',
      'customers.Zip: a text of about 200 different values',
      'customers.Churn: it is the label',
    ])
    expect(read('features/customer_features/features.sql')).toContain(`SELECT
  customerID,
  Partner AS partner,
  tenure::FLOAT AS tenure,
  try_cast(TotalCharges AS FLOAT) AS total_charges  -- text; 1 blank ones read null
FROM customers
`)
    const { project, problems } = loadProject(root)
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(project?.views.customer_features).toMatchObject({
      sources: { customers: { kind: 'static', path: csv, format: 'csv', types: { tenure: 'BIGINT' } } },
      columns: {
        partner: { values: ['No', 'Yes'], max_null_rate: 0 },
        tenure: { min: 0, max_null_rate: 0 },
        total_charges: { min: 0 },
      },
      expect: { rows: { min: 100, max_change: 0.2 } },
    })
    expect(project?.models.churn?.labels?.sql).toContain(`(Churn = 'Yes')::INTEGER AS churn`)
    expect(read('README.md')).toContain('| likely | the label is Churn = Yes |')
  })

  it('joins states and events of text dates at the newest night, keys of unlike types as text', async () => {
    await writeParquet(
      join(folder, 'data/people/a.parquet'),
      `SELECT i::BIGINT AS user_id, ['a', 'b'][1 + i % 2] AS plan FROM range(30) t(i)`,
    )
    await writeParquet(
      join(folder, 'data/Visits/a.parquet'),
      `SELECT (i % 25)::VARCHAR AS "User ID", strftime(DATE '2026-01-01' + i::INTEGER, '%d.%m.%Y') AS "Visit Day", i % 7 AS pages, printf('%d,%02d', i, i % 100) AS paid, ['web', 'app'][1 + i % 2] AS channel FROM range(300) t(i)`,
    )
    const started = await start([join(folder, 'data')])
    expect(started).toMatchObject({ as_of: '2026-10-28', rows: 30, problems: [], model: 'lapsed' })
    const sql = read('features/user_features/features.sql')
    expect(sql).toContain(
      "avg(try_cast(replace(replace(paid, '.', ''), ',', '.') AS DOUBLE))::FLOAT AS paid_mean",
    )
    expect(started.left_out).toEqual([
      "visits.channel: a category of events; count(*) FILTER (channel = 'app') counts one",
    ])
    expect(sql).toContain('  ON visits_of.user_id::VARCHAR = people.user_id::VARCHAR')
    expect(read('features/user_features/view.yaml')).toContain(
      `select: SELECT * REPLACE (try_strptime("Visit Day", '%d.%m.%Y')::DATE AS "Visit Day") FROM raw`,
    )
    expect(loadProject(root).project?.views.user_features?.expect.fresh).toMatchObject({
      visits: { text: '2d' },
    })
  })

  it('reads numbers with points, with commas, and with both as what they are, and leaves out what could be two numbers', async () => {
    const csv = join(folder, 'bills.csv')
    const rows = Array.from(
      { length: 120 },
      (_, i) =>
        `${i + 1},${i % 10},2026-${String(1 + (i % 9)).padStart(2, '0')}-05,"${i},50","${1 + (i % 9)},${100 + i}.25","${i % 2 === 0 ? `${i}.5` : `${i},5`}","${1 + (i % 9)},${100 + i}"`,
    )
    writeFileSync(csv, `lfd,customer_id,day,comma,point,either,unclear\n${rows.join('\n')}\n`)
    const started = await start([csv])
    expect(started.problems).toEqual([])
    const sql = read('features/customer_features/features.sql')
    for (const [name, cast] of [
      ['comma', "try_cast(replace(replace(comma, '.', ''), ',', '.') AS DOUBLE)"],
      ['point', "try_cast(replace(point, ',', '') AS DOUBLE)"],
      [
        'either',
        "try_cast(CASE WHEN contains(either, ',') THEN replace(replace(either, '.', ''), ',', '.') ELSE either END AS DOUBLE)",
      ],
    ])
      expect(sql).toContain(`avg(${cast})::FLOAT AS ${name}_mean`)
    expect(started.left_out).toEqual([
      "bills.unclear: a text whose commas are decimal ones or stand between thousands: replace(unclear, ',', '.') or replace(unclear, ',', '') and a cast read it",
      'bills.lfd: it numbers the rows',
    ])
    // Days that are text are days of the project's zone, wherever that is.
    expect(loadProject(root).project?.views.customer_features?.sources.bills).toMatchObject({
      types: { day: 'DATE' },
    })
  })

  it('writes UUIDs as the text that features keep, in features, joins and labels', async () => {
    const id = "('00000000-0000-4000-8000-' || lpad((i % 20)::VARCHAR, 12, '0'))::UUID AS user_id"
    await writeParquet(join(folder, 'data/people/a.parquet'), `SELECT ${id}, i AS age FROM range(20) t(i)`)
    await writeParquet(
      join(folder, 'data/visits/a.parquet'),
      `SELECT ${id}, TIMESTAMP '2026-01-01' + to_hours(i) AS visited_at FROM range(2000) t(i)`,
    )
    const started = await start([join(folder, 'data')])
    expect(started).toMatchObject({ rows: 20, problems: [], model: 'lapsed' })
    expect(read('features/user_features/features.sql')).toContain('people.user_id::VARCHAR AS user_id')
    expect(read('models/lapsed/labels.sql')).toContain('SELECT user_id::VARCHAR AS user_id')
  })

  it('leaves nothing behind where data or model cannot be read, and spares a folder that is in use', async () => {
    const data = join(folder, 'rows.parquet')
    await writeParquet(data, 'SELECT i AS user_id, i AS x FROM range(9) t(i)')
    const bad = join(folder, 'bad.onnx')
    writeFileSync(bad, 'no model')
    await expect(start([data], { model: bad })).rejects.toThrow(/^init: --model .*bad\.onnx: /)
    await expect(start([join(folder, 'gone.parquet')])).rejects.toThrow(ConfigurationError)
    expect(readdirSync(folder)).not.toContain('project')
    // Data in the folder of the project to be is no obstacle.
    await expect(start([data], { root: folder })).rejects.toThrow('got: bad.onnx')
    rmSync(bad)
    const here = await start([data], { root: folder })
    expect(here.rows).toBe(9)
    expect(readFileSync(join(folder, 'features/user_features/view.yaml'), 'utf8')).toContain(
      'path: rows.parquet',
    )
  })

  it('takes SQL of the user, expects what it gives, and lists as inputs what a matrix is wide', async () => {
    const data = join(folder, 'visits.parquet')
    await writeParquet(
      data,
      "SELECT i % 20 AS user_id, TIMESTAMP '2026-01-01' + to_days(i::INTEGER) AS visited_at, visited_at + INTERVAL 1 MINUTE AS loaded_at FROM range(300) t(i)",
    )
    const features = join(folder, 'own.sql')
    writeFileSync(
      features,
      'SELECT user_id, count(*)::FLOAT AS visits, max(user_id)::FLOAT AS twice FROM visits GROUP BY user_id\n',
    )
    const model = join(folder, 'm.onnx')
    const fitted = { mean: [1], scale: [1], weight: [1], intercept: 0 }
    writeFileSync(model, logisticModel(fitted, ['visits'], 'test'))
    const started = await start([data], { features, model })
    expect(started).toMatchObject({ rows: 20, problems: [], left_out: [], unmatched_inputs: [] })
    expect(read('features/user_features/features.sql')).toBe(readFileSync(features, 'utf8'))
    const { project } = loadProject(root)
    expect(project?.models.lapsed?.inputs).toEqual(['visits'])
    // Rows of a minute later may come as long as the night waits for them.
    expect(project?.views.user_features?.sources.visits).toMatchObject({ cutoff: { text: '6h' } })
    expect(Object.keys(project?.views.user_features?.columns ?? {})).toEqual(['visits', 'twice'])
    await expect(
      start([data], { root: join(folder, 'other'), features: join(folder, 'gone.sql') }),
    ).rejects.toThrow('which cannot be read; nothing was written')
  })
})
