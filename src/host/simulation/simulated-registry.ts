import { existsSync } from 'node:fs'
import { copyFile, link, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pool } from 'pg'
import type { Project } from '../../project/project.ts'

/** What is known of versions before a night is lived through. Identities are given anew, in the same order. */
const KNOWN = {
  versions: 'model = $1',
  baselines: 'model = $1',
  evaluations: 'model = $1',
  view_promises: 'true',
  former_view_hashes: 'true',
} as const

/**
 * Copies a model's versions and what is known of them from the project's ledger and warehouse into a simulation's.
 * Nothing that happened in a night is copied, and no evidence but evaluations: those are of a version, not of a night.
 */
export async function copyRegistry(
  pool: Pool,
  { from, into, model, begins }: { from: Project; into: Project; model: string; begins: Date },
): Promise<void> {
  for (const [table, where] of Object.entries(KNOWN)) {
    const columns = await columnsOf(pool, into.schema, table)
    await pool.query(
      `insert into "${into.schema}".${table} (${columns}) select ${columns} from nightshift.${table} where ${where} order by 1`,
      where.includes('$1') ? [model] : [],
    )
  }
  // Nights before a version's registration count for nothing; in the simulation it was registered before them.
  await pool.query(`update "${into.schema}".versions set registered_at = least(registered_at, $1)`, [begins])
  for (const folder of ['models', 'datasets'])
    await linkTree(join(from.warehouse, folder, model), join(into.warehouse, folder, model))
}

/** The columns that are written, of which an identity is none. */
async function columnsOf(pool: Pool, schema: string, table: string): Promise<string> {
  const { rows } = await pool.query<{ columns: string }>(
    `select string_agg(format('%I', attname), ', ' order by attnum) as columns
       from pg_attribute
      where attrelid = format('%I.%I', $1::text, $2::text)::regclass and attnum > 0 and not attisdropped
        and attidentity = '' and attgenerated = ''`,
    [schema, table],
  )
  return rows[0]?.columns ?? ''
}

/** Files of the warehouse are never changed where they lie, so that a second name is as good as a copy. */
async function linkTree(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await linkTree(source, target)
    else if (entry.isFile()) await link(source, target).catch(() => copyFile(source, target))
  }
}
