import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import type { ClientBase } from 'pg'
import { attemptId, createRun, newRunId, openRunOf, type RunSettings } from '../ledger/nights/run-records.ts'
import { lockSlot, type Slot } from '../ledger/nights/slots.ts'
import type { WrittenFile } from '../pipeline/engine/facts.ts'
import { attemptFolder } from '../pipeline/partition/partition-files.ts'
import type { ShadowScores } from '../registry/warm.ts'
import type { Context } from '../workers/context.ts'

export interface Prepared {
  run: string
  slot: Slot
  version: number
  file: WrittenFile
}

/**
 * Writes what a shadow scored for a night as a run of its own, ready to be published: so that the commit itself is
 * short. Throws as the child does where the shadow's file is gone or broken.
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
    return { run, slot, version: shadow.version, file }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/**
 * Commits a prepared night in the caller's transaction: from here on it will be published, by `finishPublication` or
 * by whoever reconciles. False where somebody works on the night: its run publishes what it was started for.
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
  await client.query(
    `update nightshift.runs
        set state = 'publishing', attempt = 1, fence = nextval('nightshift.fences'), started_at = now(), next_attempt_at = null,
            reason = $2, path = $3, rows = $4, bytes = $5, sha256 = $6, view_hash = coalesce((select hash from nightshift.former_view_hashes where former = $7), $7), metadata = $8
      where id = $1`,
    [
      run,
      reason,
      relative(warehouse, file.path),
      file.rows,
      file.bytes,
      file.sha256,
      file.metadata.view_hash ?? null,
      JSON.stringify(file.metadata),
    ],
  )
  await client.query(
    `insert into nightshift.attempts (run, number, fence, worker, ended_at, outcome)
     select id, 1, fence, $2, now(), 'published' from nightshift.runs where id = $1`,
    [run, worker],
  )
  await client.query(`update nightshift.slots set state = 'publishing', changed_at = now() where id = $1`, [
    slot.id,
  ])
  return true
}

/** Removes what was prepared and is not to be published. */
export async function discard({ warehouse }: Pick<Context, 'warehouse'>, { run }: Prepared): Promise<void> {
  await rm(attemptFolder(warehouse, attemptId(run, 1)), { recursive: true, force: true })
}
