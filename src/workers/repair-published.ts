import { mkdir, rename } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import type { ClientBase } from 'pg'
import type { Logger } from 'pino'
import { settingsFor } from '../jobs/request-run.ts'
import { type Database, transaction } from '../ledger/connection/database.ts'
import { publishedStamp } from '../ledger/nights/published.ts'
import { findRun, newRunId, type Run } from '../ledger/nights/run-records.ts'
import type { SlotRequest } from '../ledger/nights/run-request.ts'
import { losePublished, stampFile } from '../ledger/nights/slot-facts.ts'
import { reopenSlot } from '../ledger/nights/slot-transitions.ts'
import { lockSlot, type Slot, slotTitle } from '../ledger/nights/slots.ts'
import { Failure } from '../pipeline/engine/failure.ts'
import {
  attemptFolder,
  foreignPath,
  keptPath,
  type PartitionPath,
  supersededPath,
} from '../pipeline/partition/partition-files.ts'
import { shownWarehouse } from '../project/object-path.ts'
import type { Project } from '../project/project.ts'
import { lookAtPublished, stampOf } from '../storage/published-file.ts'
import { fetchFiles } from '../storage/warehouse-copy.ts'
import { hasFiles, isStored, keepSecond, removeFile, restoreFile } from '../storage/warehouse-files.ts'
import { partitionOf } from './attempt/publication.ts'

/** Number of nights computed again at a time: tonight's nights must not wait for a year of deleted files. */
const AT_ONCE = 2

export interface Repairer {
  database: Database
  warehouse: string
  project(): Project
  log: Pick<Logger, 'warn'>
}

/**
 * right      the file matches the ledger, or is being published at this moment
 * restored   it did not match, and was restored from its second copy or from the superseded scores
 * reopened   there is no other copy: the slot is computed again
 * removed    there is no other copy, and others are computed first, or a later run is active
 */
export type Repaired = { state: 'right' } | { state: 'restored' | 'reopened' | 'removed'; action: string }

/**
 * Compares the file of a published slot with the ledger, under the slot's lock, and repairs it if they differ:
 * readers see a foreign file only until it is noticed. A foreign file is moved, never deleted. Throws a resource
 * Failure if the warehouse is missing, and the disk's errors.
 */
export async function repairPublished(
  context: Repairer,
  slotId: number,
  how: { fully?: boolean } = {},
): Promise<Repaired> {
  if (isStored(context.warehouse)) await fetchBefore(context, slotId, how.fully === true)
  const repaired = await transaction(context.database, async (client): Promise<Repaired> => {
    const slot = await lockSlot(client, slotId)
    const run = slot.published_run === null ? undefined : await findRun(client, slot.published_run)
    if (run === undefined || slot.state === 'publishing') return { state: 'right' }
    const target = partitionOf(context.warehouse, run)
    const stamp = await publishedStamp(client, slotId)
    const verdict = await lookAtPublished(target.file, { run: run.id, sha256: run.sha256, stamp }, how)
    if (verdict.state === 'right') {
      if (verdict.stamp !== stamp) await stampFile(client, slot.id, verdict.stamp)
      return { state: 'right' }
    }
    await expectWarehouse(context.warehouse)
    const why = verdict.why.replace(target.file, () => relative(context.warehouse, target.file))
    const movedTo =
      verdict.state === 'foreign' ? await moveForeign(context.warehouse, run, target) : undefined
    const kept = await otherCopy(context.warehouse, run)
    if (kept !== undefined) {
      await restore(context.warehouse, kept, target)
      const action = sentence(why, movedTo, `published again from ${relative(context.warehouse, kept)}`)
      await stampFile(client, slot.id, (await stampOf(target.file)) ?? null, action)
      return { state: 'restored', action }
    }
    // The file now has another name, and its second name does not belong to the run.
    for (const path of [target.file, keptPath(context.warehouse, run.id)]) await removeFile(path)
    return reopen(client, context.project(), slot, run, (then) => sentence(why, movedTo, then))
  })
  if (repaired.state !== 'right') context.log.warn({ slot: slotId, state: repaired.state }, repaired.action)
  return repaired
}

function sentence(why: string, movedTo: string | undefined, then: string): string {
  return `${why}: ${then}${movedTo === undefined ? '' : `; the foreign file is now ${movedTo}`}`
}

/** An unmounted share looks like an empty folder: nothing is computed into it. */
async function expectWarehouse(warehouse: string): Promise<void> {
  if (await hasFiles(warehouse)) return
  const question = isStored(warehouse) ? 'is it the bucket of this project?' : 'is it mounted?'
  throw new Failure(
    'resource',
    `the warehouse ${shownWarehouse(warehouse)} is empty or missing: ${question}`,
    {
      evidence: { warehouse },
    },
  )
}

/** Moves it to a name that no reader matches; the stable name keeps it until it is replaced. */
async function moveForeign(warehouse: string, run: Run, { file }: PartitionPath): Promise<string> {
  const target = foreignPath(warehouse, run.kind, run.name, run.partition, newRunId())
  if ((await stampOf(file)) !== 'not a file') await keepSecond(file, target)
  else {
    await mkdir(dirname(target), { recursive: true })
    await rename(file, target)
  }
  return relative(warehouse, target)
}

/** Another byte-identical copy of the run's output. */
async function otherCopy(warehouse: string, run: Run): Promise<string | undefined> {
  for (const path of otherPlaces(warehouse, run)) {
    const expected = { run: run.id, sha256: run.sha256, stamp: null }
    if ((await lookAtPublished(path, expected, { fully: true })).state === 'right') return path
  }
  return undefined
}

function otherPlaces(warehouse: string, run: Run): string[] {
  const kept = keptPath(warehouse, run.id)
  return run.kind === 'scores' ? [kept, supersededPath(warehouse, run.name, run.partition, run.id)] : [kept]
}

async function restore(warehouse: string, kept: string, target: PartitionPath): Promise<void> {
  await restoreFile(kept, target, attemptFolder(warehouse, `repair-${newRunId()}`))
}

/** Requests may take longer than a slot may be locked: what will be looked into is fetched before. */
async function fetchBefore({ database, warehouse }: Repairer, slotId: number, fully: boolean): Promise<void> {
  const { rows } = await database.pool.query<Run>(
    'select r.* from nightshift.slots s join nightshift.runs r on r.id = s.published_run where s.id = $1',
    [slotId],
  )
  const [run] = rows
  if (run === undefined) return
  const { file } = partitionOf(warehouse, run)
  const isRight = (await stampOf(file)) === (await publishedStamp(database.pool, slotId))
  await fetchFiles(isRight ? (fully ? [file] : []) : [file, ...otherPlaces(warehouse, run)])
}

async function reopen(
  client: ClientBase,
  project: Project,
  slot: Slot,
  run: Run,
  describe: (then: string) => string,
): Promise<Repaired> {
  const busy = slot.state !== 'published'
  const later = !busy && (await repairsUnderWay(client)) >= AT_ONCE
  if (later) {
    const action = describe(`no other copy is kept, it is computed again after ${AT_ONCE} others`)
    await stampFile(client, slot.id, null, action)
    return { state: 'removed', action }
  }
  const action = describe(
    busy ? `no other copy is kept, and run ${slot.run} is ${slot.state}` : 'computed again',
  )
  const reason = `${slotTitle(slot)}: ${action}`
  if (busy) await losePublished(client, slot.id, reason)
  else await reopenSlot(client, slot.id, repairOf(project, slot, run), reason)
  return { state: busy ? 'removed' : 'reopened', action }
}

function repairOf(project: Project, slot: Slot, run: Run): SlotRequest {
  return {
    trigger: 'repair',
    forced: true,
    version: run.version,
    backfill: null,
    settings: settingsFor(project, slot.kind, slot.name),
    by: null,
  }
}

async function repairsUnderWay(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ open: number }>(
    `select (select count(*) from nightshift.slots where request->>'trigger' = 'repair')::int
          + (select count(*) from nightshift.runs
              where trigger = 'repair' and state in ('waiting', 'queued', 'running', 'publishing'))::int as open`,
  )
  return rows[0]?.open ?? 0
}
