import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, openDatabase } from '../../../src/ledger/connection/database.ts'
import { dumpLedger } from '../../../src/ledger/copies/dump-ledger.ts'
import { ledgerTables } from '../../../src/ledger/copies/ledger-tables.ts'
import { restoreLedger } from '../../../src/ledger/copies/restore-ledger.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import { writeHistory } from '../../web/history.ts'

let folder: string
let file: string
const opened: { database: Database; fresh: FreshDatabase }[] = []
let source: Database

async function open(schema = 'nightshift'): Promise<Database> {
  const fresh = await freshDatabase()
  const database = await openDatabase({ root: folder, url: fresh.url, role: 'command', schema })
  opened.push({ database, fresh })
  return database
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-copies-'))
  file = join(folder, 'ledger.gz')
  source = await open()
  await writeHistory(source)
  await source.pool.query(
    `insert into nightshift.project (id, name, made_at, queues) values ('9007199254740993', 'shop', 'here', 'q')`,
  )
  await dumpLedger(source, file)
})
afterAll(async () => {
  for (const { database, fresh } of opened) {
    await database.close()
    await fresh.drop()
  }
  rmSync(folder, { recursive: true, force: true })
})

/** Every row of every table, as PostgreSQL writes it. */
async function contentOf({ pool }: Database): Promise<Record<string, string[]>> {
  const content: Record<string, string[]> = {}
  for (const { name } of await ledgerTables(pool)) {
    const { rows } = await pool.query<{ row: string }>(
      `select to_json(t)::text as row from nightshift.${name} t order by 1`,
    )
    content[name] = rows.map(({ row }) => row)
  }
  return content
}

test('an empty ledger, of another schema too, gets every row, and numbers go on where they were', async () => {
  const target = await open('copied')
  const { head, rows } = await restoreLedger(target, file)
  const before = await contentOf(source)
  expect(await contentOf(target)).toEqual(before)
  expect(rows).toBe(Object.values(before).flat().length)
  expect(rows).toBeGreaterThan(300)
  expect(head).toMatchObject({ project: 'shop' })
  const next = async ({ pool }: Database) =>
    (await pool.query<{ id: string }>(`select nextval('nightshift.slots_id_seq')::text as id`)).rows[0]?.id
  expect(await next(target)).toBe(await next(source))
})

test('a copy is for its owner alone', () => {
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('a ledger that somebody has worked with is refused, and stays as it is', async () => {
  const before = await contentOf(source)
  await expect(restoreLedger(source, file)).rejects.toThrow(
    'expected an empty ledger, got: one that has slots',
  )
  expect(await contentOf(source)).toEqual(before)
})

test('a ledger in use is refused', async () => {
  const target = await open()
  await target.pool.query(
    `insert into nightshift.processes (id, role, places, host, pid, seen_at) values ('w', 'worker', 1, 'h', 1, clock_timestamp())`,
  )
  await expect(restoreLedger(target, file)).rejects.toThrow('the ledger is in use')
})

const lines = () => gunzipSync(readFileSync(file)).toString('utf8').split('\n')
const packed = (text: string) => gzipSync(text)

test.each([
  [
    'cut short',
    () => readFileSync(file).subarray(0, 2_000),
    /a whole copy of nightshift ledger dump, got: unexpected end of file/,
  ],
  ['without its end', () => packed(lines().slice(0, -2).join('\n')), /got: \d+ rows without an end/],
  ['that lacks a row', () => packed(lines().toSpliced(5, 1).join('\n')), /got: \d+ rows without an end/],
  ['of something else', () => packed('{"a":1}\n'), /got: another beginning/],
  ['that is no gzip', () => Buffer.from('hello'), /got: incorrect header check/],
  [
    'of another schema',
    () =>
      packed(
        lines()
          .join('\n')
          .replace(/"migration":"[^"]+"/, '"migration":"001_ledger.sql"'),
      ),
    /got: one at 001_ledger\.sql\. Restore it with the version of nightshift that made it/,
  ],
])('a file %s changes nothing', async (_, bytes, message) => {
  const target = await open()
  const broken = join(folder, 'broken.gz')
  writeFileSync(broken, bytes())
  await expect(restoreLedger(target, broken)).rejects.toThrow(message)
  expect((await contentOf(target)).slots).toEqual([])
})
