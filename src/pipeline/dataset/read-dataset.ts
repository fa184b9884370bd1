import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { ConfigurationError } from '../../project/files/problem.ts'
import { MANIFEST, type Manifest } from './manifest.ts'

export interface Dataset {
  manifest: Manifest
  /** Absolute paths. */
  folder: string
  train: string
  holdout: string
}

/** Where a model's training sets are. */
export function datasetsFolder(warehouse: string, model: string): string {
  return join(warehouse, 'datasets', model)
}

const column = z.object({ name: z.string(), type: z.string() })
const split = z.object({
  rows: z.number(),
  as_of: z.array(z.string()),
  balance: z.record(z.string(), z.number()).nullable(),
})
const input = z.object({
  source: z.string(),
  path: z.string(),
  size: z.number(),
  modified: z.string(),
  rows: z.number(),
  newest: z.string().nullable(),
  visible: z
    .object({ rows: z.number(), sum: z.string(), of: z.string(), whole: z.boolean() })
    .exactOptional(),
})
const manifestSchema: z.ZodType<Manifest> = z.object({
  format: z.literal(1),
  id: z.string(),
  model: z.string(),
  view: z.string(),
  view_hash: z.string(),
  features_sql: z.string().exactOptional(),
  label: z.object({
    column: z.string(),
    type: z.string(),
    hash: z.string(),
    horizon: z.string(),
    lag: z.string(),
  }),
  entity: z.array(z.string()),
  features: z.array(column),
  as_of: z.array(z.string()),
  train: split,
  holdout: split,
  left_out: z.object({
    immature: z.array(z.object({ as_of: z.string(), label_end: z.string(), reason: z.string() })),
    gap: z.array(z.object({ as_of: z.string(), rows: z.number() })),
    without_features: z.number().exactOptional(),
    without_label: z.number(),
  }),
  entities: z.object({ file: z.string(), rows: z.number(), sum: z.string() }).exactOptional(),
  holdout_groups: z
    .object({ share: z.number(), by: z.array(z.string()), train: z.number(), holdout: z.number() })
    .exactOptional(),
  inputs: z.record(z.string(), z.array(input)),
  engine: z.object({ nightshift: z.string(), duckdb: z.string(), node: z.string() }),
})

/** Ids of a model's training sets. */
async function listDatasets(warehouse: string, model: string): Promise<string[]> {
  const folder = datasetsFolder(warehouse, model)
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => existsSync(join(folder, name, MANIFEST))).sort()
}

/** A training set by its id, or by the beginning of one. Throws a ConfigurationError that lists the candidates. */
export async function readDataset(warehouse: string, model: string, id: string): Promise<Dataset> {
  const known = await listDatasets(warehouse, model)
  const found = known.includes(id) ? [id] : known.filter((each) => id !== '' && each.startsWith(id))
  const [only] = found
  if (only === undefined || found.length > 1) {
    const candidates = found.length > 1 ? found : known
    throw new ConfigurationError(
      `--dataset: expected the id of a training set of ${model} (${candidates.join(', ') || `none yet: nightshift dataset ${model} --from D --to D`}), got: ${id}`,
    )
  }
  const folder = join(datasetsFolder(warehouse, model), only)
  const text = await readFile(join(folder, MANIFEST), 'utf8')
  const parsed = manifestSchema.safeParse(readJson(text))
  if (!parsed.success) {
    throw new ConfigurationError(
      `${join(folder, MANIFEST)} is not the manifest of a training set: ${parsed.error.issues[0]?.message ?? ''}; build it again`,
    )
  }
  return {
    manifest: parsed.data,
    folder,
    train: join(folder, 'train.parquet'),
    holdout: join(folder, 'holdout.parquet'),
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
