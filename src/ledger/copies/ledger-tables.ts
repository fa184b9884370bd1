import type { ClientBase } from 'pg'

/** A table of the ledger, and its columns that are stored and not computed from others. */
export interface LedgerTable {
  name: string
  columns: string[]
}

/** What a copy leaves out: who is alive, who is signed in, and what the schema itself says. */
const LEFT_OUT = ['processes', 'sessions', 'migrations']

/** The tables that a copy of the ledger holds, by name. */
export async function ledgerTables(client: Pick<ClientBase, 'query'>): Promise<LedgerTable[]> {
  const { rows } = await client.query<LedgerTable>(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      where n.nspname = 'nightshift' and c.relkind = 'r' and c.relname <> all($1)
      group by c.relname order by c.relname`,
    [LEFT_OUT],
  )
  return rows
}

/** Names of the migrations that have been applied, the newest last. */
export async function migrationsOf(client: Pick<ClientBase, 'query'>): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select name from nightshift.migrations order by name',
  )
  return rows.map(({ name }) => name)
}

/** A name as SQL has it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
