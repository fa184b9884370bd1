import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeParquet } from '../../pipeline/feature-case.ts'
import { PURCHASES } from '../../pipeline/leaks/leak-case.ts'
import { cdnowProject, HAS_CDNOW, type TemporaryProject, temporaryProject } from '../../projects/cdnow.ts'
import { nightshift, nightshiftJson } from '../nightshift.ts'

let project: TemporaryProject
let at: { project: string }

beforeAll(async () => {
  project = await temporaryProject({
    'nightshift.yaml': 'project: leaky\ntimezone: Europe/Berlin\nwarehouse: warehouse\n',
    'features/customer/view.yaml': `view: customer
entity: id
owner: crm@example.com
sources:
  purchases: { path: data/purchases/*.parquet, kind: events, event_time: happened }
  customers: { path: data/customers/*.parquet, kind: history, key: id, valid_from: since }
  segments: { path: data/segments/*.parquet, kind: static }
`,
    'features/customer/features.sql': `SELECT id, segment, date_diff('day', $as_of, left_at)::FLOAT AS days_left
FROM customers JOIN segments USING (id)
`,
    'models/stay/model.yaml': `model: stay
description: Whether a customer buys within 30 days
owner: crm@example.com
on_call: [oncall@example.com]
view: customer
score: { column: score }
labels: { sql: labels.sql, horizon: 30d }
`,
    'models/stay/labels.sql': `SELECT id, (coalesce(max(amount) FILTER (happened >= $as_of), 0) > 60)::INTEGER AS buys FROM purchases GROUP BY id
`,
    'models/stay/RUNBOOK.md': '# Stay\n',
  })
  const write = (name: string, sql: string) =>
    writeParquet(join(project.root, `data/${name}/all.parquet`), sql)
  await write('purchases', PURCHASES)
  await write(
    'customers',
    `SELECT i AS id, TIMESTAMP '2026-01-01' + to_days((i % 20)::INTEGER) AS since,
            CASE WHEN i % 4 > 0 THEN TIMESTAMP '2026-01-21' + to_hours((hash(i) % 3700)::BIGINT) END AS left_at FROM range(200) t(i)`,
  )
  await write('segments', `SELECT i AS id, ['a', 'b'][i % 2 + 1] AS segment FROM range(200) t(i)`)
  at = { project: project.root }
})
afterAll(() => project.remove())

test('validate --leaks names each leak, says what to do, and ends with 1', async () => {
  const { code, stdout, stderr } = await nightshift(
    ['validate', '--leaks', 'stay', '--as-of', '2026-04-01', '--as-of', '2026-03-01'],
    at,
  )
  expect(code, stderr).toBe(1)
  expect(stdout).toContain('leaky is valid')
  expect(stdout).toMatch(/^error +static segments$/m)
  expect(stdout).toContain('the readiness gate fails parity unless this is waived')
  expect(stdout).toMatch(/^error +future-value customers\.left_at as of 2026-03-01, \d+ rows$/m)
  expect(stdout).toContain('fix: declare valid_to: left_at for customers in features/customer/view.yaml')
  expect(stdout).toMatch(
    /stay on customer: 2 leaks; as of 2026-03-01, 2026-04-01, \d+ values computed twice, \d+ differing/,
  )
})

test('and says the same as data', async () => {
  const { code, json } = await nightshiftJson(['validate', '--leaks', 'stay', '--as-of', '2026-03-01'], at)
  expect(code).toBe(1)
  expect(json).toMatchObject({ valid: true, view: 'customer', as_of: ['2026-03-01'] })
  expect(json.leaks).toMatchObject([
    { kind: 'static', view: 'customer', source: 'segments', column: null, as_of: null },
    {
      kind: 'future-value',
      source: 'customers',
      column: 'left_at',
      as_of: '2026-03-01',
      features: ['days_left'],
    },
  ])
})

test('once the end is declared and the table is a snapshot, nothing is left', async () => {
  await project.write(
    'features/customer/view.yaml',
    `view: customer
entity: id
owner: crm@example.com
sources:
  purchases: { path: data/purchases/*.parquet, kind: events, event_time: happened }
  customers: { path: data/customers/*.parquet, kind: history, key: id, valid_from: since, valid_to: left_at }
  segments: { path: data/copies/**/*.parquet, kind: snapshots, snapshot_at: day }
`,
  )
  await writeParquet(
    join(project.root, 'data/copies/day=2026-01-01/all.parquet'),
    `SELECT i AS id, ['a', 'b'][i % 2 + 1] AS segment FROM range(200) t(i)`,
  )
  const { code, stdout, stderr } = await nightshift(['validate', '--leaks', 'stay'], at)
  expect(code, stdout + stderr).toBe(0)
  expect(stdout).toContain('stay on customer: no leak; as of')
})

test('--as-of without --leaks, and a model that is not there, are refused', async () => {
  expect(await nightshift(['validate', '--as-of', '2026-03-01'], at)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected --leaks MODEL with --as-of'),
  })
  expect(await nightshift(['validate', '--leaks', 'stray'], at)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean stay'),
  })
})

test.skipIf(!HAS_CDNOW)('real purchases have no leak', async () => {
  const real = await cdnowProject()
  try {
    const { code, json, stderr } = await nightshiftJson(['validate', '--leaks', 'lapse'], {
      project: real.root,
    })
    expect(code, stderr).toBe(0)
    expect(json).toMatchObject({ leaks: [], values: 70_710, differing: 0, labelled_rows: 7071 })
    expect(json.as_of).toEqual(['1997-06-02', '1997-10-31', '1998-04-01'])
    expect(json.auc.recency_days).toBeCloseTo(0.772, 2)
  } finally {
    await real.remove()
  }
})
