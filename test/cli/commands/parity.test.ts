import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Temporal } from 'temporal-polyfill'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generate } from '../../../fixtures/generate.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { query, writeParquet } from '../../pipeline/feature-case.ts'
import { type TemporaryProject, temporaryProject } from '../../projects/cdnow.ts'
import { promoting } from '../../promoting.ts'
import { ended, nightshift, nightshiftJson, start } from '../nightshift.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const NIGHTS = process.env.NIGHTSHIFT_FAULTS === 'full' ? 60 : 3
const LAST = '2026-11-22'
const FIRST = Temporal.PlainDate.from(LAST)
  .subtract({ days: NIGHTS - 1 })
  .toString()
const SQL = 'features/customer_activity/features.sql'

let database: FreshDatabase
let project: TemporaryProject
let at: { project: string; env: Record<string, string> }

beforeAll(async () => {
  database = await freshDatabase()
  project = await temporaryProject({})
  for (const part of ['features', 'models', 'nightshift.yaml']) {
    cpSync(join(ROOT, part), join(project.root, part), { recursive: true })
  }
  await generate(join(project.root, 'data'), { customers: 600, days: 100 + NIGHTS, until: LAST })
  at = { project: project.root, env: { DATABASE_URL: database.url } }
  const registered = await nightshift(
    ['register', 'churn', join(ROOT, 'fixtures/models/churn_v2_gbdt.onnx')],
    at,
  )
  expect(registered.code, registered.stderr).toBe(0)
  const promoted = await nightshift(promoting('churn', 1), at)
  expect(promoted.code, promoted.stderr).toBe(0)
  // So few customers break the expectation on the number of rows.
  const yaml = join(project.root, 'features/customer_activity/view.yaml')
  writeFileSync(yaml, readFileSync(yaml, 'utf8').replace(/rows: \{[^}]*\}/, 'rows: { min: 1 }'))
  const { code, stderr } = await nightshift(['backfill', 'churn', '--from', FIRST, '--to', LAST, '--yes'], at)
  expect(code, stderr).toBe(0)
}, 600_000)
afterAll(async () => {
  await project.remove()
  await database.drop()
})

async function parity(asOf: string, ...more: string[]) {
  const { code, json, stderr } = await nightshiftJson(['parity', 'churn', '--as-of', asOf, ...more], at)
  return { code, stderr, ...json }
}

interface ByColumn {
  column: string
  differing: number
  examples: unknown[]
}
const differing = (columns: ByColumn[]) =>
  columns.filter((each) => each.differing > 0).map((each) => each.column)

test(`the training path gives what serving published on each of ${NIGHTS} nights`, async () => {
  let [values, rounding] = [0, 0]
  for (let night = 0; night < NIGHTS; night++) {
    const found = await parity(Temporal.PlainDate.from(FIRST).add({ days: night }).toString())
    expect(found).toMatchObject({ code: 0, differing: 0, late: 0, cause: null })
    expect(found.values).toBe(found.rows * found.columns)
    values += found.values
    rounding += found.rounding
  }
  console.info(`parity over ${NIGHTS} nights: ${values} values, 0 differing, ${rounding} by rounding`)
}, 600_000)

test('a training set of the same night has the same values', async () => {
  const from = Temporal.PlainDate.from(LAST).subtract({ days: 35 }).toString()
  await nightshift(['refresh', 'customer_activity', '--as-of', from], at)
  const { json, stderr } = await nightshiftJson(['dataset', 'churn', '--from', from, '--to', from], at)
  expect(json?.id, stderr).toBeDefined()
  expect(await parity(from, '--dataset', json.id)).toMatchObject({
    code: 0,
    differing: 0,
    against: `dataset ${json.id}`,
  })
  expect(await nightshift(['parity', 'churn', '--as-of', LAST, '--dataset', json.id], at)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`has no rows as of ${LAST}`),
  })
})

describe('what somebody changed is found and named', () => {
  const sql = () => join(project.root, SQL)
  let before = ''
  beforeAll(() => {
    before = readFileSync(sql(), 'utf8')
  })
  const edited = async (from: string, to: string) => {
    expect(before).toContain(from)
    writeFileSync(sql(), before.replace(from, to))
    try {
      return await parity(LAST)
    } finally {
      writeFileSync(sql(), before)
    }
  }

  test('one character of the SQL', async () => {
    const found = await edited('INTERVAL 7 DAY', 'INTERVAL 8 DAY')
    expect(found).toMatchObject({ code: 1, cause: 'logic', late: 0 })
    expect(differing(found.by_column)).toEqual(['calls_7d'])
    expect(found.view_hash.published).not.toBe(found.view_hash.now)
  })

  test('one type', async () => {
    const found = await edited(
      'coalesce(roaming_30d, 0)::FLOAT                                                  AS roaming',
      'coalesce(roaming_30d, 0)::INTEGER AS roaming',
    )
    expect(found).toMatchObject({
      code: 1,
      cause: 'type',
      types: [{ column: 'roaming_calls_30d', published: 'FLOAT', other: 'INTEGER' }],
    })
    expect(differing(found.by_column)).toEqual(['roaming_calls_30d'])
  })

  test('one late file', async () => {
    const late = 'data/sessions/date=2026-11-21/late.parquet'
    await writeParquet(
      join(project.root, late),
      `SELECT * REPLACE (started_at - INTERVAL 1 HOUR AS started_at) FROM (SELECT * FROM read_parquet('${project.root}/data/sessions/date=2026-11-21/*.parquet', hive_partitioning = false) LIMIT 20)`,
    )
    const found = await parity(LAST)
    expect(found).toMatchObject({ code: 1, cause: 'late', differing: 0, changed_files: [`${late} is new`] })
    expect(found.late).toBeGreaterThan(0)
    const { stdout } = await nightshift(['parity', 'churn', '--as-of', LAST], at)
    expect(stdout).toContain(`rows arrived late: ${late} is new`)
    execFileSync('rm', [join(project.root, late)])
    expect(await parity(LAST)).toMatchObject({ code: 0 })
  })
})

describe('a notebook that computes its own', () => {
  const notebook = async (name: string, columns: string, where = '', asOf = LAST) => {
    const path = join(project.root, name)
    const from = `read_parquet('${project.root}/warehouse/features/customer_activity/as_of=${asOf}/features.parquet', hive_partitioning = false) f`
    const calls = `read_parquet('${project.root}/data/calls/**/*.parquet', hive_partitioning = false)`
    const sql = `SELECT f.customer_id, ${columns} FROM ${from}
      LEFT JOIN (SELECT customer_id, ${CALLS} FROM ${calls} GROUP BY ALL) c USING (customer_id) ${where} ORDER BY 1`
    await query(
      `COPY (${sql}) TO '${path}' (${name.endsWith('.csv') ? 'HEADER, FORMAT csv' : 'FORMAT parquet'})`,
    )
    const found = await parity(asOf, '--file', path)
    return { ...found, named: differing(found.by_column ?? []) }
  }
  /** Midnight in Berlin is 23:00 UTC of the day before, in summer time 22:00; calls count that came in within 4 h. */
  const seen = `ingested_at <= TIMESTAMP '2026-11-22 03:00:00' AND started_at < TIMESTAMP '2026-11-21 23:00:00'`
  const since = (start: string) => `count(*) FILTER (${seen} AND started_at >= TIMESTAMP '${start}')`
  const CALLS = `${since('2026-10-22 22:00:00')} AS right_window, ${since('2026-10-21 22:00:00')} AS long_window,
    ${since('2026-11-15 00:00:00')} AS wrong_zone,
    count(*) FILTER (started_at < TIMESTAMP '2026-11-21 23:00:00' AND started_at >= TIMESTAMP '2026-11-13 23:00:00') AS past_midnight`

  test('rightly: no difference, in CSV and in Parquet, of pandas’ types', async () => {
    const columns = `coalesce(right_window, 0)::DOUBLE AS Calls_30d, f.plan, f.monthly_price`
    for (const name of ['right.csv', 'right.parquet']) {
      expect(await notebook(name, columns)).toMatchObject({ code: 0, differing: 0, columns: 3 })
    }
  })

  test('with a window of 31 days: the column, the number of rows, examples', async () => {
    const found = await notebook('window.csv', `coalesce(long_window, 0) AS calls_30d, f.tenure_days`)
    expect(found).toMatchObject({ code: 1, named: ['calls_30d'] })
    expect(found.differing).toBeGreaterThan(10)
    expect(found.by_column.find((each: ByColumn) => each.differing > 0).examples).toHaveLength(5)
    const { stdout } = await nightshift(
      ['parity', 'churn', '--as-of', LAST, '--file', join(project.root, 'window.csv')],
      at,
    )
    expect(stdout).toMatch(/calls_30d\s+\d+\s+\d+/)
  })

  test('in the wrong zone', async () => {
    expect(await notebook('zone.parquet', `coalesce(wrong_zone, 0) AS calls_7d, f.plan`)).toMatchObject({
      code: 1,
      named: ['calls_7d'],
    })
  })

  test('with zero for null', async () => {
    const found = await notebook(
      'zero.csv',
      `coalesce(monthly_price, 0) AS monthly_price, coalesce(days_since_activity, 0) AS days_since_activity`,
    )
    expect(found.code).toBe(1)
    for (const column of found.by_column.filter((each: ByColumn) => each.differing > 0)) {
      expect(column.null_or_zero).toBe(column.differing)
    }
    expect(found.named.length).toBeGreaterThan(0)
  })

  test('past midnight by a day', async () => {
    const found = await notebook('midnight.csv', 'coalesce(past_midnight, 0) AS calls_7d', '', '2026-11-21')
    expect(found).toMatchObject({ code: 1, named: ['calls_7d'] })
  })

  test('of whom some are missing, or twice, or under other names', async () => {
    const some = await notebook('some.csv', 'f.plan', 'WHERE f.customer_id % 2 = 0')
    expect(some).toMatchObject({
      code: 1,
      cause: 'file',
      named: [],
      notes: [
        expect.stringContaining('are not in the file: where it is a sample on purpose, add --allow-missing'),
        expect.stringContaining('not compared: tenure_days'),
      ],
    })
    const sample = ['parity', 'churn', '--as-of', LAST, '--file', join(project.root, 'some.csv')]
    expect(await nightshift(sample, at)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/published entities are not in the file$/m),
    })
    expect(await nightshift([...sample, '--allow-missing'], at)).toMatchObject({ code: 0 })
    expect(await nightshift([...sample.slice(0, 4), '--allow-missing'], at)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected --allow-missing together with --file F'),
    })
    writeFileSync(join(project.root, 'twice.csv'), 'customer_id,plan\n1,basic\n1,plus\n')
    const against = (file: string) =>
      nightshift(['parity', 'churn', '--as-of', LAST, '--file', join(project.root, file)], at)
    expect(await against('twice.csv')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'expected one row for each customer_id of the night, got several: 1 (2 times)',
      ),
    })
    writeFileSync(join(project.root, 'names.csv'), 'kunde,tarif\n1,basic\n')
    expect(await against('names.csv')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('expected the entity (customer_id)'),
    })
  })
})

test('after a night a job of its own compares it, and the certificate is kept with the run', async () => {
  const up = start(['up', '--port', '0'], at)
  const over = ended(up)
  try {
    const { json: refreshed } = await nightshiftJson(
      ['refresh', 'customer_activity', '--as-of', LAST, '--force'],
      at,
    )
    const certificate = await (async () => {
      for (let tries = 0; tries < 240; tries++) {
        const { rows } = await database.database.pool.query(
          'select * from nightshift.certificates where run = $1',
          [refreshed.run],
        )
        if (rows[0] !== undefined) return rows[0]
        await sleep(250)
      }
      return undefined
    })()
    expect(certificate).toMatchObject({
      view: 'customer_activity',
      against: 'recomputed',
      differing: 0,
      report: { differing: 0, view_hash: expect.any(Object) },
    })
    expect(certificate.report.values).toBe(certificate.report.rows * certificate.report.columns)
    const { json } = await nightshiftJson(['show', certificate.run], at)
    expect(json.parity).toMatchObject({ differing: 0, rows: json.rows })
  } finally {
    up.kill('SIGTERM')
    await over
  }
})
