import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import type { ClientBase } from 'pg'
import { recordComputed } from '../../ledger/nights/run-facts.ts'
import { attemptId, newRunId, openRunOf } from '../../ledger/nights/run-records.ts'
import type { RunSettings } from '../../ledger/nights/run-request.ts'
import { createRun, restoreScores } from '../../ledger/nights/run-transitions.ts'
import { lockSlot, type Slot } from '../../ledger/nights/slots.ts'
import type { WrittenFile } from '../../pipeline/engine/facts.ts'
import { attemptFolder } from '../../pipeline/partition/partition-files.ts'
import { currentHash } from '../../registry/view-identity.ts'
import type { ShadowScores } from '../../registry/warm.ts'
import { removeAttempts, sendFile } from '../../storage/warehouse-files.ts'
import type { Context } from '../../workers/context.ts'

export interface Prepared {
  run: string
  slot: Slot
  version: number
  file: WrittenFile
}

/**
 * Writes the shadow scores of a night as a separate run, ready to be published, so that the commit itself is short.
 * Throws as the child process does if the shadow's file is missing or broken.
 */
export async function prepare(
  { warehouse, children }: Pick<Context, 'warehouse' | 'children'>,
  slot: Slot,
  shadow: ShadowScores,
  entity: string[],
): Promise<Prepared> {
  const run = newRunId()
  const folder = attemptFolder(warehouse, attemptId(run, 1))
  await mkdir(join(folder, 'tmp'), { recursive: true })
  try {
    const file = await children.run('restamp', {
      from: join(warehouse, shadow.path),
      out: join(folder, 'scores.parquet'),
      entity,
      metadata: { ...shadow.metadata, run },
      temp: join(folder, 'tmp'),
      threads: availableParallelism(),
    })
    await sendFile(file.path, file)
    return { run, slot, version: shadow.version, file }
  } catch (error) {
    await removeAttempts(warehouse, [attemptId(run, 1)])
    throw error
  }
}

/**
 * Commits a prepared night in the caller's transaction: from then on it will be published, by `finishPublication` or
 * by the next reconcile. Returns false if the night is being worked on: that run publishes its own result.
 */
export async function commit(
  client: ClientBase,
  warehouse: string,
  { run, slot, version, file }: Prepared,
  {
    by,
    reason,
    settings,
    worker,
  }: { by: string | null; reason: string | null; settings: RunSettings; worker: string },
): Promise<boolean> {
  const locked = await lockSlot(client, slot.id)
  if ((await openRunOf(client, locked.id)) !== undefined) return false
  await createRun(client, locked, { id: run, trigger: 'rollback', version, settings, by })
  const viewHash = file.metadata.view_hash
  await recordComputed(client, run, {
    path: relative(warehouse, file.path),
    rows: file.rows,
    bytes: file.bytes,
    sha256: file.sha256,
    view_hash: viewHash === undefined ? null : await currentHash(client, viewHash),
    metadata: file.metadata,
    checks: [],
    inputs: [],
    warnings: [],
    summary: null,
    unknown_values: [],
    content: null,
  })
  await restoreScores(client, { id: run, slot: slot.id }, reason, worker)
  return true
}

/** Removes a prepared night that is not to be published. */
export async function discard({ warehouse }: Pick<Context, 'warehouse'>, { run }: Prepared): Promise<void> {
  await removeAttempts(warehouse, [attemptId(run, 1)])
}
