import { relative } from 'node:path'
import type { ClientBase } from 'pg'
import { type Database, transaction } from '../../ledger/connection/database.ts'
import { holdsFence, olderAttempts } from '../../ledger/nights/attempt-records.ts'
import { recordComputed } from '../../ledger/nights/run-facts.ts'
import { attemptId, findRun, type Run } from '../../ledger/nights/run-records.ts'
import { commitRun, publishRun, takeBack } from '../../ledger/nights/run-transitions.ts'
import { lockSlot } from '../../ledger/nights/slots.ts'
import type {
  Check,
  Identity,
  InputFile,
  SourceTypes,
  UnknownValues,
  WrittenFile,
} from '../../pipeline/engine/facts.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { refusal } from '../../pipeline/partition/file-refusal.ts'
import {
  attemptFolder,
  keptPath,
  type PartitionPath,
  partitionPath,
  supersededPath,
} from '../../pipeline/partition/partition-files.ts'
import { shownWarehouse } from '../../project/object-path.ts'
import { adoptIdentity } from '../../registry/view-identity.ts'
import { keepPromise, type PastPromise, recordUse } from '../../registry/view-promises.ts'
import { stampOf, writerOf } from '../../storage/published-file.ts'
import {
  isStored,
  keepSecond,
  placeAttempt,
  removeAttempts,
  removeFile,
} from '../../storage/warehouse-files.ts'
import type { Tried } from './steps.ts'

/** The output of an attempt and what the ledger records about it. */
export interface Result {
  file: WrittenFile
  viewHash: string | null
  /** Of features: the run that first published the same content; null where this one does. */
  content: string | null
  /** Of features: what earlier builds may have recorded of their definition. */
  identity: (Identity & { movedDates: boolean }) | undefined
  /** For features: what was read from each source. */
  sources: SourceTypes
  /** The columns that the definition published before. */
  promised?: PastPromise | undefined
  checks: Check[]
  inputs: InputFile[]
  warnings: string[]
  summary: Record<string, number | undefined> | null
  unknown: UnknownValues[]
}

/** Runs in the transaction that ends the run: closes incidents, writes the all-clear. */
export type OnPublished = (client: ClientBase, run: Run) => Promise<void>

export interface Warehouse {
  database: Database
  /** Absolute path of the warehouse. */
  warehouse: string
  onPublished: OnPublished
}

/**
 * Publishes an attempt's file atomically (design, promise 3).
 *
 * One transaction locks the slot, checks the fence, records `publishing` with the file's hash, and removes the files
 * of older attempts, so that a zombie attempt no longer finds its file. Only then is the file renamed to the stable
 * name. If a slot is found in `publishing` later, `finishPublication` completes it.
 *
 * Throws a transient Failure if the fence was lost: another attempt owns the slot.
 */
export async function publish(
  context: Warehouse,
  run: Run,
  attempt: Tried & { fence: number },
  result: Result,
): Promise<void> {
  let older: string[] = []
  await transaction(context.database, async (client) => {
    await lockSlot(client, run.slot)
    if (!(await holdsFence(client, run.id, attempt.fence))) throw superseded(run, attempt.number)
    await recordResult(client, context.warehouse, run, result, { kept: true })
    if (result.viewHash !== null && run.kind === 'features')
      await keepPromise(client, {
        run,
        viewHash: result.viewHash,
        columns: result.file.columns,
        sources: result.sources,
        before: result.promised,
      })
    await commitRun(client, run, attempt.number, attempt.steps, attempt.usage?.())
    older = await olderAttempts(client, run, attempt.number)
    if (isStored(context.warehouse)) return
    await removeAttempts(context.warehouse, older).catch(async (error: unknown) => {
      const folders = older.map((each) => attemptFolder(context.warehouse, each))
      throw await refusal(error, 'the files of an earlier attempt could not be removed', folders)
    })
  })
  // Requests may take longer than a slot may be locked. The fence alone refuses zombies; what is left is swept.
  if (isStored(context.warehouse)) await removeAttempts(context.warehouse, older).catch(() => {})
  await finishPublication(context, run.id)
}

/** Records the output of an attempt with its run; records the file only if it is kept to be published or released. */
export async function recordResult(
  client: ClientBase,
  warehouse: string,
  run: Run,
  result: Result,
  { kept }: { kept: boolean },
): Promise<void> {
  const { file } = result
  if (result.identity !== undefined) {
    await adoptIdentity(client, result.identity)
    await recordUse(client, { view: run.name, viewHash: result.identity.viewHash, sources: result.sources })
  }
  await recordComputed(client, run.id, {
    path: kept ? relative(warehouse, file.path) : null,
    rows: file.rows,
    bytes: file.bytes,
    sha256: file.sha256,
    view_hash: result.viewHash,
    metadata: file.metadata,
    checks: result.checks,
    inputs: result.inputs,
    warnings: result.warnings,
    summary: result.summary,
    unknown_values: result.unknown,
    content: result.content,
  })
}

/**
 * Moves a file in state `publishing` to its stable name and marks it `published`. Idempotent and safe to run twice at
 * once: the second call finds the file moved, and the run id in the partition confirms it.
 *
 * If the disk refuses or the ledger becomes unavailable, it throws and the run stays in `publishing`: a later
 * reconcile retries (`recordFailure` in attempt-outcome.ts states when) and completes it as soon as possible.
 */
export async function finishPublication(context: Warehouse, runId: string): Promise<void> {
  const run = await findRun(context.database.pool, runId)
  if (run === undefined || run.state !== 'publishing') return
  const target = partitionOf(context.warehouse, run)
  const from = attemptFolder(context.warehouse, attemptId(run.id, run.attempt))
  const { moved, superseded } = await move(context.warehouse, run, from, target).catch(
    async (error: unknown) => {
      const what = 'the output is computed, but cannot be moved into place'
      if (error instanceof Failure)
        throw new Failure(error.failureClass, `${what}: ${error.message}`, {
          cause: error,
          evidence: error.evidence,
        })
      throw await refusal(error, what, [target.folder, from])
    },
  )
  if (!moved && (await writerOf(target.file)) !== run.id) {
    // The failure belongs to the attempt again: the caller records what follows.
    await takeBack(context.database.pool, run.id)
    throw new Failure(
      'resource',
      `run ${run.id} was to be published, but its file is gone from ${shownWarehouse(from)}`,
      {
        evidence: { run: run.id, attempt: run.attempt },
      },
    )
  }
  const stamp = await stampOf(target.file)
  // A disk without hard links has no second copy: a lost file is computed again.
  await keepSecond(target.file, keptPath(context.warehouse, run.id)).catch((error: unknown) => {
    if (isStored(target.file)) throw error
  })
  const before = await transaction(context.database, async (client) => {
    const { published_run } = await lockSlot(client, run.slot)
    const path = relative(context.warehouse, target.file)
    if (!(await publishRun(client, run, { path, stamp, superseded }))) return null
    await context.onPublished(client, run)
    return published_run
  })
  if (before !== null && before !== run.id) await removeFile(keptPath(context.warehouse, before))
}

async function move(
  warehouse: string,
  run: Run,
  from: string,
  target: PartitionPath,
): Promise<{ moved: boolean; superseded: string | null }> {
  const superseded = run.kind === 'scores' ? await keepSuperseded(warehouse, run) : null
  return { moved: await placeAttempt(from, target), superseded }
}

/** Superseded scores are kept under the run that wrote them. Returns the path relative to the warehouse. */
async function keepSuperseded(
  warehouse: string,
  run: Pick<Run, 'id' | 'kind' | 'name' | 'partition'>,
): Promise<string | null> {
  const { file } = partitionOf(warehouse, run)
  const before = await writerOf(file)
  if (before === undefined || before === run.id) return null
  const kept = supersededPath(warehouse, run.name, run.partition, before)
  await keepSecond(file, kept)
  return relative(warehouse, kept)
}

/** Where a run's partition is published. */
export function partitionOf(
  warehouse: string,
  run: { kind: Run['kind']; name: string; partition: string },
): PartitionPath {
  return partitionPath(warehouse, run.kind, run.name, run.partition)
}

export function superseded(run: Run, number: number): Failure {
  return new Failure(
    'transient',
    `attempt ${number} of run ${run.id} was taken over while it was running: its commit is refused`,
    { evidence: { superseded: true } },
  )
}
