import { existsSync } from 'node:fs'
import { copyFile, link, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pool } from 'pg'
import type { Project } from '../../project/project.ts'
import { fetchFolder } from '../../storage/warehouse-files.ts'

/** What is known of versions before a night is lived through. Identities are given anew, in the same order. */
const KNOWN = {
  versions: 'model = $1',
  baselines: 'model = $1',
  evaluations: 'model = $1',
  view_promises: 'true',
  former_view_hashes: 'true',
  alert_tests: 'acked_at is not null',
  drills: 'model = $1',
  runbook_reviews: 'model = $1',
  acceptances: 'model = $1',
  waivers: 'model = $1',
  leak_checks: 'model = $1',
  retrainings: "model = $1 and dry_run and state in ('done', 'failed')",
} as const

/** What people, drills and searches have shown. In the simulation it was shown before the first night. */
const SHOWN = [
  'alert_tests',
  'drills',
  'runbook_reviews',
  'acceptances',
  'waivers',
  'leak_checks',
  'retrainings',
] as const

/**
 * Copies a model's versions and what is known of them from the project's ledger and warehouse into a simulation's: their
 * evaluations, and the evidence that people and drills gave. Nothing that happened in a night is copied.
 */
export async function copyRegistry(
  pool: Pool,
  { from, into, model, begins }: { from: Project; into: Project; model: string; begins: Date },
): Promise<void> {
  for (const [table, where] of Object.entries(KNOWN)) {
    const columns = (await columnsOf(pool, into.schema, table)).join(', ')
    const [identity = '1'] = await columnsOf(pool, into.schema, table, { identity: true })
    await pool.query(
      `insert into "${into.schema}".${table} (${columns}) select ${columns} from nightshift.${table} where ${where} order by ${identity}`,
      where.includes('$1') ? [model] : [],
    )
  }
  // Nights before a version's registration count for nothing; in the simulation it was registered before them.
  await pool.query(`update "${into.schema}".versions set registered_at = least(registered_at, $1)`, [begins])
  for (const table of SHOWN) {
    const times = await columnsOf(pool, into.schema, table, { type: 'timestamptz' })
    const dated = times.map((column) => `${column} = least(${column}, $1)`)
    await pool.query(`update "${into.schema}".${table} set ${dated.join(', ')}`, [begins])
  }
  for (const folder of ['models', 'datasets']) {
    await fetchFolder(join(from.warehouse, folder, model))
    await linkTree(join(from.warehouse, folder, model), join(into.warehouse, folder, model))
  }
}

/** The columns that are written, of which an identity is none (or it alone); of one type alone where it is given. */
async function columnsOf(
  pool: Pool,
  schema: string,
  table: string,
  { type = null, identity = false }: { type?: string | null; identity?: boolean } = {},
): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select format('%I', attname) as name
       from pg_attribute
      where attrelid = format('%I.%I', $1::text, $2::text)::regclass and attnum > 0 and not attisdropped
        and (attidentity <> '') = $3 and attgenerated = '' and ($4::regtype is null or atttypid = $4::regtype)
      order by attnum`,
    [schema, table, identity, type],
  )
  return rows.map(({ name }) => name)
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
