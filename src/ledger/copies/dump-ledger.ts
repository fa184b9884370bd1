import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { createGzip } from 'node:zlib'
import type { Database } from '../connection/database.ts'
import { ledgerTables, migrationsOf, quoted } from './ledger-tables.ts'

/** The first line of a copy. */
export interface CopyHead {
  nightshift_ledger: 1
  /** The newest migration of the schema that it was made from: it goes into no other. */
  migration: string
  project: string
  made_at: string
  sequences: Record<string, string>
}

const PAGE = 1_000

/**
 * Writes the ledger into one file, as of one instant, while it is in use: gzip of a head, a line `table<tab>row as JSON` for each row, and
 * a last line that counts them. Rows go through in pages, so that memory does not grow with the ledger. Other people cannot read
 * the file, since mails are in it.
 */
export async function dumpLedger(
  { pool }: Pick<Database, 'pool'>,
  file: string,
): Promise<{ rows: number; bytes: number }> {
  const partial = `${file}.partial`
  const client = await pool.connect()
  const gzip = createGzip()
  const out = createWriteStream(partial, { mode: 0o600 })
  const written = once(out, 'close')
  written.catch(() => {})
  gzip.pipe(out)
  const write = async (line: string) => {
    if (!gzip.write(`${line}\n`)) await once(gzip, 'drain')
  }
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    await write(JSON.stringify(await headOf(client)))
    let count = 0
    for (const { name, columns } of await ledgerTables(client)) {
      await client.query(
        `declare rows no scroll cursor for select to_json(t)::text as row from (select ${columns.map(quoted).join(', ')} from nightshift.${quoted(name)}) t`,
      )
      for (;;) {
        const { rows } = await client.query<{ row: string }>(`fetch ${PAGE} from rows`)
        for (const { row } of rows) await write(`${name}\t${row}`)
        count += rows.length
        if (rows.length < PAGE) break
      }
      await client.query('close rows')
    }
    await write(`end\t${count}`)
    gzip.end()
    await written
    await client.query('commit')
    await rename(partial, file)
    return { rows: count, bytes: (await stat(file)).size }
  } catch (error) {
    gzip.destroy()
    out.destroy()
    await client.query('rollback').catch(() => {})
    await rm(partial, { force: true })
    throw error
  } finally {
    client.release()
  }
}

async function headOf(client: Parameters<typeof migrationsOf>[0]): Promise<CopyHead> {
  const { rows } = await client.query<{ sequencename: string; last_value: string | null }>(
    `select sequencename, last_value::text from pg_sequences where schemaname = 'nightshift'`,
  )
  const project = await client.query<{ name: string; now: string }>(
    'select (select name from nightshift.project limit 1) as name, now() as now',
  )
  return {
    nightshift_ledger: 1,
    migration: (await migrationsOf(client)).at(-1) ?? 'none',
    project: project.rows[0]?.name ?? '',
    made_at: project.rows[0]?.now ?? '',
    sequences: Object.fromEntries(
      rows.flatMap(({ sequencename, last_value }) =>
        last_value === null ? [] : [[sequencename, last_value]],
      ),
    ),
  }
}
