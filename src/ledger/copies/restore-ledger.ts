import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import type { PoolClient } from 'pg'
import { z } from 'zod'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Database } from '../connection/database.ts'
import { transaction } from '../connection/transaction.ts'
import { hostAlive } from '../nights/alive.ts'
import type { CopyHead } from './dump-ledger.ts'
import { type LedgerTable, ledgerTables, migrationsOf, quoted } from './ledger-tables.ts'

const Head = z.object({
  nightshift_ledger: z.literal(1),
  migration: z.string(),
  project: z.string(),
  made_at: z.string(),
  sequences: z.record(z.string(), z.string().regex(/^\d+$/)),
})

/** Tables whose rows make a ledger one that somebody has worked with. */
const WORKED_WITH = ['slots', 'runs', 'versions', 'history', 'incidents']
const BATCH = 500

/**
 * Fills an empty ledger from a copy (`dumpLedger`): all of it, in one transaction, or nothing. Throws a ConfigurationError where the ledger
 * is in use or holds anything, where the copy is of another schema, or where the file is none, damaged or cut short.
 */
export async function restoreLedger(
  database: Database,
  file: string,
): Promise<{ head: CopyHead; rows: number }> {
  if (await hostAlive(database))
    throw new ConfigurationError(
      'ledger restore: the ledger is in use: stop scheduler, workers and web first',
    )
  return transaction(database, async (client) => {
    await refuseWorkedWith(client)
    await client.query('set local session_replication_role = replica').catch((error: unknown) => {
      throw new ConfigurationError(
        `ledger restore: this role may not load rows before those that they refer to (session_replication_role): use a superuser, or the embedded database`,
        { cause: error },
      )
    })
    const tables = new Map((await ledgerTables(client)).map((table) => [table.name, table]))
    await client.query(
      `truncate ${[...tables.keys()].map((name) => `nightshift.${quoted(name)}`).join(', ')}`,
    )
    const loaded = await load(client, tables, file)
    for (const [name, value] of Object.entries(loaded.head.sequences))
      await client.query(`select setval(format('nightshift.%I', $1::text)::regclass, $2::bigint)`, [
        name,
        value,
      ])
    return loaded
  })
}

async function refuseWorkedWith(client: PoolClient): Promise<void> {
  for (const table of WORKED_WITH) {
    const { rows } = await client.query<{ some: boolean }>(
      `select exists (select from nightshift.${quoted(table)}) as some`,
    )
    if (rows[0]?.some === true) {
      throw new ConfigurationError(
        `ledger restore: expected an empty ledger, got: one that has ${table}. Nothing was changed. A copy goes into a new ledger alone: dump this one, then remove it (nightshift ledger rm), or set another database or schema`,
      )
    }
  }
}

async function load(
  client: PoolClient,
  tables: Map<string, LedgerTable>,
  file: string,
): Promise<{ head: CopyHead; rows: number }> {
  const source = createReadStream(file)
  const unzipped = source.pipe(createGunzip())
  source.on('error', (error) => unzipped.destroy(error))
  let head: CopyHead | undefined
  let [rows, ended] = [0, false]
  let batch: { table: LedgerTable; rows: string[] } | undefined
  const flush = async () => {
    if (batch === undefined || batch.rows.length === 0) return
    await insert(client, batch.table, batch.rows)
    batch.rows = []
  }
  try {
    for await (const line of createInterface({ input: unzipped, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (head === undefined) {
        head = await readHead(client, line, file)
        continue
      }
      const tab = line.indexOf('\t')
      const [name, rest] = [line.slice(0, tab), line.slice(tab + 1)]
      if (name === 'end') {
        ended = Number(rest) === rows
        continue
      }
      const table = tables.get(name)
      if (table === undefined) throw damaged(file, `a row of the table ${name || '(none)'}`)
      if (batch?.table !== table || batch.rows.length >= BATCH) {
        await flush()
        batch = { table, rows: [] }
      }
      batch.rows.push(rest)
      rows++
    }
    await flush()
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    throw damaged(file, error instanceof Error ? error.message : String(error), error)
  } finally {
    source.destroy()
  }
  if (head === undefined || !ended) throw damaged(file, `${rows} rows without an end`)
  return { head, rows }
}

async function readHead(client: PoolClient, line: string, file: string): Promise<CopyHead> {
  let given: unknown
  try {
    given = JSON.parse(line)
  } catch {
    given = undefined
  }
  const parsed = Head.safeParse(given)
  if (!parsed.success) throw damaged(file, 'another beginning')
  const own = (await migrationsOf(client)).at(-1)
  if (parsed.data.migration !== own) {
    throw new ConfigurationError(
      `ledger restore: expected a copy of a ledger at migration ${own}, got: one at ${parsed.data.migration}. Restore it with the version of nightshift that made it; this one then brings it up to date`,
    )
  }
  return parsed.data
}

/** JSON never passes through JavaScript's numbers: PostgreSQL reads each row as it wrote it. */
async function insert(client: PoolClient, { name, columns }: LedgerTable, rows: string[]): Promise<void> {
  const table = `nightshift.${quoted(name)}`
  const all = columns.map(quoted)
  await client.query(
    `insert into ${table} (${all.join(', ')}) overriding system value
     select ${all.map((column) => `r.${column}`).join(', ')}
       from unnest($1::text[]) with ordinality as given (row, place), jsonb_populate_record(null::${table}, given.row::jsonb) as r
      order by given.place`,
    [rows],
  )
}

function damaged(file: string, got: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(
    `ledger restore: expected ${file} to be a whole copy of nightshift ledger dump, got: ${got}. Nothing was changed`,
    { cause },
  )
}
