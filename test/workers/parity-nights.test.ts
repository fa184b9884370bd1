import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Temporal } from 'temporal-polyfill'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generate } from '../../fixtures/generate.ts'
import { literal } from '../../src/pipeline/engine/quote.ts'
import type { ParityFacts } from '../../src/pipeline/parity/parity-facts.ts'
import { writeParquet } from '../pipeline/feature-case.ts'
import { type TemporaryProject, temporaryProject } from '../projects/cdnow.ts'
import { type Life, openLife } from './life.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const NIGHTS = process.env.NIGHTSHIFT_FAULTS === 'full' ? 60 : 6
/** The clocks change on 2026-10-25, within these nights. */
const FIRST = Temporal.PlainDate.from('2026-10-18')
const LAST = FIRST.add({ days: NIGHTS - 1 }).toString()
const EVE = FIRST.add({ days: NIGHTS - 2 }).toString()
/** Two more weeks for the view that is compared weekly. */
const UNTIL = FIRST.add({ days: NIGHTS + 15 }).toString()
const SQL = 'features/customer_activity/features.sql'

let project: TemporaryProject
let life: Life

beforeAll(async () => {
  project = await temporaryProject({})
  for (const part of ['features', 'models', 'nightshift.yaml']) {
    cpSync(join(ROOT, part), join(project.root, part), { recursive: true })
  }
  // So few customers break the expectation on the number of rows.
  const yaml = join(project.root, 'features/customer_activity/view.yaml')
  writeFileSync(yaml, readFileSync(yaml, 'utf8').replace(/rows: \{[^}]*\}/, 'rows: { min: 1 }'))
  await project.write(
    'schedules/nightly.yaml',
    `schedule: nightly\ncron: "30 1 * * *"\nrefresh: [customer_activity]\nstart: "${FIRST}"\n`,
  )
  await generate(join(project.root, 'data'), { customers: 300, days: 60 + NIGHTS, until: UNTIL })
  life = await openLife(project.root, { from: `${FIRST.subtract({ days: 1 })}T12:00:00Z` })
})
afterAll(async () => {
  await life?.close()
  await project?.remove()
})

interface CertificateRow {
  partition: string
  differing: number | null
  report: ParityFacts
}

async function certificates(): Promise<CertificateRow[]> {
  const { rows } = await life.database.pool.query<CertificateRow>(
    'select partition, differing, report from nightshift.certificates order by partition, id',
  )
  return rows
}

/** The jobs stand behind the nightly work: one more look at the calendar after its end enqueues them. */
async function untilCertified(count: number): Promise<CertificateRow[]> {
  for (let tries = 0; tries < 1200; tries++) {
    const found = await certificates()
    if (found.length >= count) return found
    if (tries % 20 === 0) await life.until(new Date(life.now().getTime() + 1000).toISOString())
    await sleep(50)
  }
  throw new Error(`expected ${count} certificates, got: ${(await certificates()).length}`)
}

// Takes as long as its nights, each computed twice.
test(`${NIGHTS} nights by the calendar: each has a certificate of its whole partition, 0 values differ`, async () => {
  for (let night = 0; night < NIGHTS; night++) {
    await life.until(`${FIRST.add({ days: night })}T12:00:00Z`, 1440)
    await untilCertified(night + 1)
  }
  const found = await certificates()
  expect(found.map(({ partition }) => partition)).toEqual(
    Array.from({ length: NIGHTS }, (_, night) => FIRST.add({ days: night }).toString()),
  )
  let [values, rounding] = [0, 0]
  for (const { report, differing } of found) {
    expect({ differing, late: report.late, cause: report.cause }).toEqual({
      differing: 0,
      late: 0,
      cause: null,
    })
    expect(report.rows).toBeGreaterThan(250)
    expect(report.values).toBe(report.rows * report.columns)
    expect(report.view_hash.published).toBe(report.view_hash.now)
    values += report.values
    rounding += report.rounding
  }
  console.info(`${NIGHTS} nights: ${values} values, 0 differing, ${rounding} by rounding alone`)
  expect(life.mails.received).toEqual([])
}, 600_000)

/** As if the job of the last night had been lost: the ledger says that nobody has compared it. */
async function certifiedAgain(): Promise<ParityFacts> {
  await life.database.pool.query('delete from nightshift.certificates where partition = $1', [LAST])
  await life.until(new Date(life.now().getTime() + 300_000).toISOString())
  const report = (await untilCertified(NIGHTS)).at(-1)?.report
  if (report === undefined) throw new Error('expected a certificate')
  return report
}

const named = ({ by_column }: ParityFacts) =>
  by_column.filter(({ differing }) => differing > 0).map(({ column }) => column)

describe('what changes after the last night is found by the next comparison, and named rightly', () => {
  const edited = async (from: string, to: string): Promise<ParityFacts> => {
    const before = readFileSync(join(project.root, SQL), 'utf8')
    expect(before).toContain(from)
    await project.write(SQL, before.replace(from, to))
    try {
      return await certifiedAgain()
    } finally {
      await project.write(SQL, before)
    }
  }

  test('one late file: late, and nobody is woken', async () => {
    const late = `data/sessions/date=${EVE}/late.parquet`
    const from = join(project.root, `data/sessions/date=${EVE}/*.parquet`)
    await writeParquet(
      join(project.root, late),
      `SELECT * REPLACE (started_at - INTERVAL 1 HOUR AS started_at) FROM read_parquet(${literal(from)}, hive_partitioning = false) LIMIT 20`,
    )
    const found = await certifiedAgain()
    expect(found).toMatchObject({ cause: 'late', differing: 0, changed_files: [`${late} is new`] })
    expect(found.late).toBeGreaterThan(0)
    expect(named(found)).toContain('megabytes_14d')
    expect(life.mails.received).toEqual([])
    rmSync(join(project.root, late))
    expect(await certifiedAgain()).toMatchObject({ cause: null, differing: 0, late: 0 })
  })

  test('one character of the SQL: logic, with both hashes, and a mail that names the column', async () => {
    const found = await edited('INTERVAL 7 DAY', 'INTERVAL 8 DAY')
    expect(found).toMatchObject({ cause: 'logic', late: 0 })
    expect(found.differing).toBeGreaterThan(0)
    expect(named(found)).toEqual(['calls_7d'])
    expect(found.view_hash.now).not.toBe(found.view_hash.published)
    await life.until(new Date(life.now().getTime() + 600_000).toISOString())
    // Two people are on call.
    expect(life.mails.received).toHaveLength(2)
    expect(life.mails.received[0]?.mail.text).toContain('calls_7d')
    expect(life.mails.received[0]?.mail.text).toContain('customer_activity')
  })

  test('one type: the column, with both types; put back, the incident ends', async () => {
    const found = await edited(
      'coalesce(roaming_30d, 0)::FLOAT                                                  AS roaming',
      'coalesce(roaming_30d, 0)::INTEGER AS roaming',
    )
    expect(found).toMatchObject({
      cause: 'type',
      types: [{ column: 'roaming_calls_30d', published: 'FLOAT', other: 'INTEGER' }],
    })
    expect(named(found)).toEqual(['roaming_calls_30d'])
    expect(await certifiedAgain()).toMatchObject({ cause: null, differing: 0 })
    await life.until(new Date(life.now().getTime() + 600_000).toISOString())
    const { rows } = await life.database.pool.query(
      'select closed_at is not null as closed from nightshift.incidents',
    )
    expect(rows).toEqual([{ closed: true }])
  })
})

// Takes as long as fifteen nights.
test('a view that says parity: weekly is compared once a week', async () => {
  const yaml = 'features/customer_activity/view.yaml'
  await project.write(yaml, `${readFileSync(join(project.root, yaml), 'utf8')}\nparity: weekly\n`)
  const before = (await certificates()).length
  for (let day = 1; day <= 15; day++) {
    const noon = `${Temporal.PlainDate.from(LAST).add({ days: day })}T12:00`
    await life.until(`${noon}:00Z`, 1440)
    // A second look behind the night, which is where jobs are enqueued.
    await life.until(`${noon}:01Z`)
    if (day % 7 === 0) await untilCertified(before + day / 7)
  }
  const found = (await certificates()).slice(before).map(({ partition }) => partition)
  expect(found).toEqual([7, 14].map((days) => Temporal.PlainDate.from(LAST).add({ days }).toString()))
})
