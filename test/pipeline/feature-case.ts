import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JS } from '@duckdb/node-api'
import { afterEach } from 'vitest'
import type { FeatureFacts } from '../../src/pipeline/engine/facts.ts'
import { literal } from '../../src/pipeline/engine/quote.ts'
import { computeFeatures, type FeatureRequest } from '../../src/pipeline/features/compute-features.ts'
import type { Duration, Source, View } from '../../src/project/project.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { parseDuration } from '../../src/project/time/duration.ts'
import { connectDuckdb } from '../duckdb.ts'

/** Real data beside the project; tests that need it skip aloud where it is absent. */
export const SHARED = fileURLToPath(new URL('../../../shared/data', import.meta.url))

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder of the test's own, removed after it. */
export function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nightshift-test-')))
  folders.push(folder)
  return folder
}

/** Rows of any SQL in an engine that may do everything. */
export async function query(sql: string): Promise<Record<string, JS>[]> {
  const connection = await connectDuckdb()
  try {
    await connection.run(`SET SESSION TimeZone = 'UTC'`)
    return (await connection.runAndReadAll(sql)).getRowObjectsJS()
  } finally {
    connection.closeSync()
  }
}

/** Writes what a SELECT gives as a Parquet file; folders are made. */
export async function writeParquet(path: string, sql: string, options = ''): Promise<string> {
  mkdirSync(dirname(path), { recursive: true })
  await query(`COPY (${sql}) TO ${literal(path)} (FORMAT parquet${options})`)
  return path
}

/** The rows of a partition as text, so that they read well in expectations. */
export async function readRows(path: string): Promise<Record<string, JS>[]> {
  return query(`SELECT COLUMNS(*)::VARCHAR FROM read_parquet(${literal(path)}, hive_partitioning = false)`)
}

export function duration(text: string): Duration {
  return parseDuration(text)
}

export type CaseView = Partial<Pick<View, 'entity' | 'columns' | 'expect' | 'fill'>> & {
  sql: string
  sources: Record<string, Source>
}

export function makeView(root: string, view: CaseView): View {
  const folder = join(root, 'features/view')
  return {
    name: 'view',
    folder,
    sqlFile: join(folder, 'features.sql'),
    entity: ['id'],
    owner: 'test@example.com',
    description: undefined,
    columns: {},
    expect: { rows: undefined, fresh: {} },
    fill: {},
    perEntity: false,
    shards: 1,
    minShard: 128_000_000,
    parity: 'weekly',
    ...view,
  }
}

export interface Computed {
  facts: FeatureFacts
  rows: Record<string, JS>[]
}

/** Computes a view and reads its rows. `asOf` is a date or an hour; read at the end of time unless `knownAt` is given. */
export async function compute(
  root: string,
  view: CaseView,
  asOf: string,
  more: Partial<FeatureRequest> = {},
): Promise<Computed> {
  const timezone = more.timezone ?? 'UTC'
  const out = join(makeFolder(), 'features.parquet')
  const temp = makeFolder()
  const facts = await computeFeatures({
    root,
    view: makeView(root, view),
    asOf: parseAsOf(asOf, timezone),
    knownAt: '2999-01-01T00:00:00Z',
    timezone,
    out,
    temp,
    threads: 2,
    metadata: { run: 'test' },
    ...more,
  })
  return { facts, rows: await readRows(facts.file.path) }
}
