import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { proposeSources } from '../../../src/pipeline/beginning/propose-sources.ts'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { sampleData } from '../../../src/project/init/sample-data.ts'
import { makeFolder, writeParquet } from '../feature-case.ts'

let root: string
beforeEach(() => {
  root = makeFolder()
})
const at = (path: string) => join(root, path)
const write = (path: string, sql: string) => writeParquet(at(path), sql)

async function propose(paths: string[], entity?: string[], timezone = 'UTC') {
  const { tables, ...rest } = await proposeSources({
    root,
    timezone,
    paths: paths.map(at),
    entity,
  })
  const sources = Object.fromEntries(tables.map(({ name, declared }) => [name, declared]))
  return {
    ...rest,
    tables,
    sources,
    sure: Object.fromEntries(rest.guesses.map((each) => [each.what, each.sure])),
  }
}

async function refusal(paths: string[], entity?: string[]): Promise<string> {
  const error: unknown = await propose(paths, entity).catch((reason: unknown) => reason)
  if (!(error instanceof Failure)) throw new Error(`expected a Failure, got: ${String(error)}`)
  return error.message
}

describe('a proposal of sources', () => {
  it('finds the tables of a folder, histories by their ends, events by time and arrival, and who they are of', async () => {
    for (const { path, sql } of sampleData('2026-11-22')) await write(path, sql)
    const found = await propose(['data'])
    expect(found.entity).toEqual({
      columns: ['customer_id'],
      in: { customers: ['customer_id'], orders: ['customer_id'] },
    })
    expect(found.sources).toEqual({
      customers: { kind: 'history', key: ['customer_id'], valid_from: 'valid_from', valid_to: 'valid_to' },
      orders: { kind: 'events', event_time: 'ordered_at', available_at: 'loaded_at', cutoff: '6h' },
    })
    expect(found.tables.map(({ path }) => path)).toEqual([
      at('data/customers/customers.parquet'),
      at('data/orders/*.parquet'),
    ])
    expect(found.sure['entity customer_id']).toBe('sure')
  })

  it('tells snapshots from events in folders of days', async () => {
    for (const day of ['2026-11-20', '2026-11-21']) {
      await write(
        `copies/day=${day}/a.parquet`,
        'SELECT i AS "Customer No", i * 2 AS balance FROM range(50) t(i)',
      )
      await write(`clicks/day=${day}/a.parquet`, 'SELECT i % 9 AS customer_no, i AS page FROM range(50) t(i)')
    }
    const { sources, entity, tables } = await propose(['copies', 'clicks'])
    expect(entity.in).toEqual({ copies: ['Customer No'], clicks: ['customer_no'] })
    expect(sources).toEqual({
      copies: { kind: 'snapshots', snapshot_at: 'day' },
      clicks: { kind: 'events', event_time: 'day' },
    })
    expect(tables[0]).toMatchObject({ isState: true, path: at('copies/**/*.parquet'), files: 2 })
  })

  it('reads times that are text or numbers, says how, and leaves birthdays and plans alone', async () => {
    await write(
      'log.parquet',
      `SELECT i % 40 AS device_id, 1700000000 + i * 3600 AS ts, DATE '1980-01-01' + i::INTEGER AS birth_date, now()::TIMESTAMP AS due_at FROM range(500) t(i)`,
    )
    await write(
      'bills.parquet',
      `SELECT i % 40 AS device_id, strftime(DATE '2026-01-01' + i::INTEGER, '%d.%m.%Y') AS "Bill Date" FROM range(300) t(i)`,
    )
    const { sources, tables } = await propose(['log.parquet', 'bills.parquet'])
    expect(sources).toEqual({
      log: { kind: 'events', event_time: 'ts' },
      bills: { kind: 'events', event_time: 'Bill Date' },
    })
    expect(tables.map(({ reads }) => reads)).toEqual([
      { ts: 'make_timestamp(ts::BIGINT * 1000000)' },
      { 'Bill Date': `try_strptime("Bill Date", '%d.%m.%Y')::DATE` },
    ])
    expect(tables[1]?.span).toEqual({ first: '2026-01-01 00:00:00', last: '2026-10-27 00:00:00' })
  })

  it('reads texts of several forms, and says where a form could be another', async () => {
    await write(
      'visits.parquet',
      `SELECT i % 40 AS client_id, CASE WHEN i % 50 = 0 THEN '' WHEN i % 2 = 0 THEN strftime(day, '%d.%m.%Y') WHEN i % 3 = 0 THEN strftime(day, '%Y-%m-%d') ELSE strftime(day, '%d-%b-%Y') END AS seen
         FROM (SELECT i, DATE '2026-01-01' + i::INTEGER AS day FROM range(300) t(i))`,
    )
    await write(
      'calls.parquet',
      `SELECT i % 40 AS client_id, strftime(make_date(2026, (1 + i % 12)::INTEGER, (1 + i % 9)::INTEGER), '%d/%m/%Y') AS called FROM range(300) t(i)`,
    )
    // Days and months that change places from row to row are no time.
    await write(
      'mixed.parquet',
      `SELECT i % 40 AS client_id, CASE WHEN i % 2 = 0 THEN strftime(day, '%d/%m/%Y') ELSE strftime(day, '%m/%d/%Y') END AS paid
         FROM (SELECT i, make_date(2026, (1 + i % 12)::INTEGER, (1 + i % 28)::INTEGER) AS day FROM range(300) t(i))`,
    )
    const { sources, tables, sure, guesses } = await propose([
      'visits.parquet',
      'calls.parquet',
      'mixed.parquet',
    ])
    expect(sources).toEqual({
      visits: { kind: 'events', event_time: 'seen' },
      calls: { kind: 'events', event_time: 'called' },
      mixed: { kind: 'static' },
    })
    expect(tables[0]?.reads).toEqual({
      seen: `coalesce(try_strptime(seen, '%d.%m.%Y')::DATE, try_strptime(seen, '%d-%b-%Y')::DATE, try_strptime(seen, '%Y-%m-%d')::DATE)`,
    })
    expect(tables[0]?.span).toEqual({ first: '2026-01-02 00:00:00', last: '2026-10-27 00:00:00' })
    expect(sure).toMatchObject({
      'visits are events of seen': 'likely',
      'calls are events of called': 'unsure',
    })
    expect(guesses.map(({ why }) => why)).toContain(
      'text like 11/22/2026, or else 22/11/2026: every value can be both, its only time',
    )
  })

  it('puts a day together that folders say in parts; years and months alone are no time', async () => {
    for (const day of [9, 10]) {
      const folder = `year=2026/month=11/day=${day}`
      await write(`copies/${folder}/a.parquet`, 'SELECT i AS client_id, i AS balance FROM range(50) t(i)')
      await write(`clicks/${folder}/a.parquet`, 'SELECT i % 9 AS client_id, i AS page FROM range(50) t(i)')
      await write(`log/year=2026/month=${day}/a.parquet`, 'SELECT 1 AS client_id, 2 AS n')
    }
    const { sources, tables, guesses } = await propose(['copies', 'clicks', 'log'])
    expect(sources).toEqual({
      copies: { kind: 'snapshots', snapshot_at: 'folder_day' },
      clicks: { kind: 'events', event_time: 'folder_day' },
      log: { kind: 'static' },
    })
    expect(tables[0]).toMatchObject({
      added: { folder_day: "try_cast(concat_ws('-', year, month, day) AS DATE)" },
      span: { first: '2026-11-09', last: '2026-11-10' },
    })
    expect(guesses.map(({ why }) => why).join()).toContain('its folders say a month and no day')
  })

  it('takes whoever is named for the entity of what happens again and again, not a pair that is unique by chance', async () => {
    await write(
      'sales.parquet',
      `SELECT i % 7 AS shop, i AS amount, TIMESTAMP '2026-01-01' + to_hours(i) AS sold_at FROM range(100) t(i)`,
    )
    const { entity, sure } = await propose(['sales.parquet'])
    expect(entity.columns).toEqual(['shop'])
    expect(sure['entity shop']).toBe('unsure')
    await write(
      'visits.parquet',
      `SELECT i AS visit_no, 'K' || i % 9 AS client, TIMESTAMP '2026-01-01' + to_hours(i) AS seen_at, i % 7 AS pages FROM range(100) t(i)`,
    )
    const visits = await propose(['visits.parquet'])
    expect(visits.entity.columns).toEqual(['client'])
    expect(visits.sources.visits).toEqual({ kind: 'events', event_time: 'seen_at' })
  })

  it('takes what two tables share and one has once for the entity, else what has one row at each time', async () => {
    await write(
      'readings.parquet',
      `SELECT printf('%05d', i % 20) AS meter, 1790000000000 + i * 60000 AS ts, i / 7 AS kwh FROM range(400) t(i)`,
    )
    const alone = await propose(['readings.parquet'])
    expect(alone.entity.columns).toEqual(['meter'])
    expect(alone.sure['entity meter']).toBe('unsure')
    await write('meters.parquet', `SELECT printf('%05d', i) AS meter, i % 3 AS zone FROM range(20) t(i)`)
    const { entity, sources, sure } = await propose(['readings.parquet', 'meters.parquet'])
    expect(entity.in).toEqual({ readings: ['meter'], meters: ['meter'] })
    expect(sure['entity meter']).toBe('likely')
    expect(sources).toEqual({ readings: { kind: 'events', event_time: 'ts' }, meters: { kind: 'static' } })
  })

  it('keeps names of another script apart', async () => {
    await write('a.parquet', 'SELECT i AS "顧客id", i % 4 AS "年齢" FROM range(30) t(i)')
    await write('b.parquet', 'SELECT i AS "注文id", i % 30 AS "顧客id", i % 5 AS "性別" FROM range(90) t(i)')
    const { entity } = await propose(['a.parquet', 'b.parquet'])
    expect(entity.in).toEqual({ a: ['顧客id'], b: ['顧客id'] })
  })

  it('takes times of day as people write them for local ones, and a birthday for no begin of a history', async () => {
    writeFileSync(
      at('stays.csv'),
      `patient;admitted\n${Array.from({ length: 60 }, (_, i) => `${i % 9};${1 + (i % 28)}.11.2026 ${8 + (i % 10)}:30`).join('\n')}\n`,
    )
    writeFileSync(
      at('patients.csv'),
      `patient;geboren\n${Array.from({ length: 9 }, (_, i) => `${i};${10 + i}.01.1950`).join('\n')}\n`,
    )
    writeFileSync(
      at('wards.csv'),
      `patient;gültig_ab;gültig_bis\n${Array.from({ length: 18 }, (_, i) => `${i % 9};${1 + i}.10.2026;${i < 9 ? `${10 + i}.10.2026` : ''}`).join('\n')}\n`,
    )
    const { sources, tables, sure } = await propose(
      ['stays.csv', 'patients.csv', 'wards.csv'],
      undefined,
      'Europe/Berlin',
    )
    expect(sources).toEqual({
      stays: { kind: 'events', event_time: 'admitted', timezones: { admitted: 'Europe/Berlin' } },
      patients: { kind: 'static' },
      wards: { kind: 'history', key: ['patient'], valid_from: 'gültig_ab', valid_to: 'gültig_bis' },
    })
    expect(sure['admitted of stays is local time of Europe/Berlin']).toBe('likely')
    expect(tables[1]?.reads).toEqual({ geboren: `try_strptime(geboren, '%d.%m.%Y')::DATE` })
  })

  it('says which entities of one table the table of the features lacks', async () => {
    await write('clients.parquet', `SELECT printf('%05d', i) AS client_id, i AS age FROM range(20) t(i)`)
    await write(
      'visits.parquet',
      `SELECT i % 30 AS client_id, TIMESTAMP '2026-01-01' + to_hours(i) AS at FROM range(90) t(i)`,
    )
    const said = async () =>
      (await propose(['clients.parquet', 'visits.parquet'])).guesses.map(({ what }) => what)
    expect(await said()).toContain('no client_id of visits is in clients')
    await write('clients.parquet', 'SELECT i AS client_id, i AS age FROM range(20) t(i)')
    expect(await said()).toContain('10 of 30 client_id of visits are not in clients')
    await write('clients.parquet', 'SELECT i AS client_id, i AS age FROM range(31) t(i)')
    expect((await said()).join()).not.toContain('in clients')
  })

  it('says how many rows of what happened repeat others', async () => {
    const one = `SELECT i AS order_no, i % 9 AS customer_id, TIMESTAMP '2026-01-01' + to_hours(i) AS at FROM range(100) t(i)`
    await write('orders.parquet', `${one} UNION ALL FROM (${one} LIMIT 7)`)
    const { guesses } = await propose(['orders.parquet'])
    expect(guesses.map(({ what }) => what)).toContain('7 rows of orders repeat other ones')
  })

  it('takes a few rows of a few days for events, and not for copies', async () => {
    writeFileSync(
      at('ev.jsonl'),
      [19, 20, 21]
        .map((day, i) => `{"user_id": ${i % 2}, "at": "2026-11-${day}T08:00:00", "n": ${i}}`)
        .join('\n'),
    )
    expect((await propose(['ev.jsonl'])).sources).toEqual({ ev: { kind: 'events', event_time: 'at' } })
  })

  it('takes two columns where no single one is unique, and those that are named', async () => {
    await write(
      'stock.parquet',
      'SELECT s AS shop, p AS article, s * p AS pieces FROM range(9) t(s), range(8) u(p)',
    )
    expect((await propose(['stock.parquet'])).entity.columns).toEqual(['shop', 'article'])
    expect((await propose(['stock.parquet'], ['article'])).entity.columns).toEqual(['article'])
    expect(await refusal(['stock.parquet'], ['artikel'])).toContain(
      'expected --entity to be columns of a table, got: artikel; the tables have: stock (shop, article, pieces)',
    )
  })

  it('refuses what it cannot read, and rows that nothing identifies, with the path and what to do', async () => {
    writeFileSync(at('ragged.csv'), 'customer_id,plan\n1,a\n1,a,extra\n2,b\n')
    expect(await refusal(['ragged.csv'])).toContain(
      'ragged was read as one column, customer_id,plan: its lines have unlike numbers of fields',
    )
    writeFileSync(at('nameless.csv'), '0,0,1.5\n1,2,3\n')
    expect(await refusal(['nameless.csv'])).toContain(
      'nameless begins with a line of numbers, 0, 0_1, 1.5: the first line has the names of the columns',
    )
    writeFileSync(at('latin.csv'), Buffer.from('customer_id;Gr\u00f6\u00dfe\n1;2\n', 'latin1'))
    expect(await refusal(['latin.csv'])).toMatch(
      /latin\.csv cannot be read as CSV: it is not written in UTF-8\. Convert it, .*; nothing was written$/,
    )
    writeFileSync(at('late.csv'), `a;b\n${'1;x\n'.repeat(30_000)}1;2;3;4\n`)
    expect(await refusal(['late.csv'])).toMatch(
      /CSV Error on Line: 30002; Original Line: 1;2;3;4; Expected Number of Columns: 2 Found: \d; nothing was written$/,
    )
    await write('none.parquet', 'SELECT i / 3 AS a, i / 2 AS b FROM range(10) t(i)')
    expect(await refusal(['none.parquet'])).toMatch(
      /expected a column, or a pair of columns.*none \(a, b\).*--entity COLUMN/,
    )
    await write('empty.parquet', 'SELECT 1 AS id WHERE false')
    expect(await refusal(['empty.parquet'])).toContain('empty has no rows; nothing was written')
    writeFileSync(at('zero.parquet'), '')
    expect(await refusal(['zero.parquet'])).toContain('zero.parquet is empty: it has 0 bytes')
    writeFileSync(at('text.parquet'), 'id,name\n1,a\n')
    expect(await refusal(['text.parquet'])).toContain('text.parquet is a CSV file')
    writeFileSync(at('notes.txt'), 'x')
    expect(await refusal(['notes.txt'])).toContain('its name ends with .txt')
    writeFileSync(at('a[1].parquet'), 'x')
    expect(await refusal(['a[1].parquet'])).toContain('which are read as a pattern: rename it')
    mkdirSync(at('bare'))
    expect(await refusal(['bare'])).toContain('a folder without Parquet, CSV or JSON files')
    expect(await refusal(['gone'])).toContain('it does not exist')
    expect(await refusal(['gone/*.parquet'])).toContain('no file matches it')
  })
})
