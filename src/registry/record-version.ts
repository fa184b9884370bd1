import { chmod, copyFile, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Database, transaction } from '../ledger/connection/database.ts'
import type { Column, Identity } from '../pipeline/engine/facts.ts'
import type { ModelFacts } from '../pipeline/onnx/inspect.ts'
import type { MappingPlan } from '../pipeline/onnx/mapping.ts'
import { hashFile } from '../pipeline/partition/sync.ts'
import { fetchFile } from '../storage/warehouse-copy.ts'
import { sendFile } from '../storage/warehouse-files.ts'
import type { Declaration } from './declaration.ts'
import { record } from './history-records.ts'
import { listVersions, type Version } from './version-records.ts'
import { adoptIdentity } from './view-identity.ts'

/** A registration: the inspected file and its input mapping. */
export interface Registration {
  model: string
  /** Absolute path of the ONNX file. */
  file: string
  facts: ModelFacts
  view: string
  identity: Identity & { movedDates: boolean }
  featuresSql: string
  /** Columns of the view, without the entity. */
  columns: Column[]
  declaration: Declaration
  inputs: string[]
  output: Version['output']
  mapping: MappingPlan
  dataset: string | null
  warnings: string[]
  by: string | null
}

/**
 * Assigns a number to a model's file and copies it into the warehouse, where it is never changed. The same file on
 * the same view with the same mapping keeps its version (`known`), and puts back its file if that is gone or changed
 * (`restored`).
 */
export async function register(
  database: Database,
  warehouse: string,
  registration: Registration,
): Promise<{ version: Version; known: boolean; restored: boolean }> {
  return transaction(database, async (client) => {
    // One registration of a model at a time, so that numbers have no gaps and no duplicates.
    await client.query(`select pg_advisory_xact_lock(hashtext('nightshift.versions'), hashtext($1))`, [
      registration.model,
    ])
    await adoptIdentity(client, registration.identity)
    const versions = await listVersions(client, registration.model)
    const same = versions.find((version) => isSame(version, registration))
    if (same !== undefined) {
      // Stores the same content again under its name, if somebody has removed or replaced the file.
      const restored = !(await isKept(join(warehouse, same.file), same.sha256))
      if (restored) await store(registration.file, warehouse, same.file)
      return { version: same, known: true, restored }
    }

    const number = (versions[0]?.version ?? 0) + 1
    const file = join('models', registration.model, String(number), 'model.onnx')
    await store(registration.file, warehouse, file)
    await client.query(
      `insert into nightshift.versions
         (model, version, sha256, bytes, file, view, view_hash, features_sql, inputs, output, mapping, dataset, warnings, registered_by, columns, declaration, registered_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, now())`,
      [
        registration.model,
        number,
        registration.facts.sha256,
        registration.facts.bytes,
        file,
        registration.view,
        registration.identity.viewHash,
        registration.featuresSql,
        JSON.stringify(registration.inputs),
        JSON.stringify(registration.output),
        JSON.stringify(registration.mapping),
        registration.dataset,
        JSON.stringify(registration.warnings),
        registration.by,
        JSON.stringify(registration.columns),
        JSON.stringify(registration.declaration),
      ],
    )
    await record(client, {
      model: registration.model,
      event: 'registered',
      version: number,
      by: registration.by,
      reason: null,
      evidence: {
        sha256: registration.facts.sha256,
        view: registration.view,
        view_hash: registration.identity.viewHash,
        ...(registration.dataset === null ? {} : { dataset: registration.dataset }),
      },
    })
    const [version] = await listVersions(client, registration.model)
    if (version === undefined) throw new Error(`version ${number} of ${registration.model} vanished`)
    return { version, known: false, restored: false }
  })
}

function isSame(version: Version, registration: Registration): boolean {
  return (
    version.sha256 === registration.facts.sha256 &&
    version.view === registration.view &&
    version.view_hash === registration.identity.viewHash &&
    version.dataset === registration.dataset &&
    canonical(scoring(version.mapping)) === canonical(scoring(registration.mapping))
  )
}

/**
 * The part of a mapping that determines the scores. The rest describes the file, in more detail than earlier builds.
 */
function scoring({ inputs, output, batch, zipMap }: MappingPlan) {
  return { inputs, output: { name: output.name, class: output.class }, batch, zipMap }
}

/** jsonb does not preserve key order: compare with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

async function isKept(file: string, sha256: string): Promise<boolean> {
  const found = await hashFile(await fetchFile(file)).catch(() => undefined)
  return found?.sha256 === sha256
}

async function store(from: string, warehouse: string, to: string): Promise<void> {
  const target = join(warehouse, to)
  const temporary = `${target}.${process.pid}.tmp`
  await mkdir(join(target, '..'), { recursive: true })
  try {
    await copyFile(from, temporary)
    const handle = await open(temporary, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(temporary, 0o444)
    await rename(temporary, target)
    await sendFile(target)
  } finally {
    await rm(temporary, { force: true })
  }
}
