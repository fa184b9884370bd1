import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
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
  keepFile,
  keptPath,
  moveIntoPlace,
  type PartitionPath,
  supersededPath,
} from '../pipeline/partition/partition-files.ts'
import { lookAtPublished, stampOf } from '../pipeline/partition/published-file.ts'
import type { Project } from '../project/project.ts'
import { partitionOf } from './attempt/publication.ts'

/** So many nights are computed again at a time: tonight's must not wait for a year that somebody removed. */
const AT_ONCE = 2

export interface Repairer {
  database: Database
  warehouse: string
  project(): Project
  log: Pick<Logger, 'warn'>
}

/**
 * right      the file is what the ledger says, or somebody publishes at this moment
 * restored   it was not, and is again: from its second name, or from where superseded scores are kept
 * reopened   there is no other copy: the slot is asked for again
 * removed    there is no other copy either, and others are computed first, or a later run is under way
 */
export type Repaired = { state: 'right' } | { state: 'restored' | 'reopened' | 'removed'; said: string }

/**
 * Compares the file of a published slot with the ledger, under the slot's lock, and puts right what is not: readers
 * see no foreign file for longer than it takes to notice. A foreign file is put aside, never deleted. Throws a resource
 * Failure where the warehouse is not there, and errors of the disk where it refuses.
 */
export async function repairPublished(
  place: Repairer,
  slotId: number,
  how: { fully?: boolean } = {},
): Promise<Repaired> {
  const repaired = await transaction(place.database, async (client): Promise<Repaired> => {
    const slot = await lockSlot(client, slotId)
    const run = slot.published_run === null ? undefined : await findRun(client, slot.published_run)
    if (run === undefined || slot.state === 'publishing') return { state: 'right' }
    const target = partitionOf(place.warehouse, run)
    const stamp = await publishedStamp(client, slotId)
    const verdict = await lookAtPublished(target.file, { run: run.id, sha256: run.sha256, stamp }, how)
    if (verdict.state === 'right') {
      if (verdict.stamp !== stamp) await stampFile(client, slot.id, verdict.stamp)
      return { state: 'right' }
    }
    await expectWarehouse(place.warehouse)
    const why = verdict.why.replace(target.file, () => relative(place.warehouse, target.file))
    const aside = verdict.state === 'foreign' ? await putAside(place.warehouse, run, target) : undefined
    const kept = await otherCopy(place.warehouse, run)
    if (kept !== undefined) {
      await restore(place.warehouse, kept, target)
      const said = sentence(why, aside, `published again from ${relative(place.warehouse, kept)}`)
      await stampFile(client, slot.id, (await stampOf(target.file)) ?? null, said)
      return { state: 'restored', said }
    }
    // What lay there has another name by now, and a second name of it is none of the run's.
    for (const path of [target.file, keptPath(place.warehouse, run.id)]) await rm(path, { force: true })
    return reopen(client, place.project(), slot, run, (then) => sentence(why, aside, then))
  })
  if (repaired.state !== 'right') place.log.warn({ slot: slotId, state: repaired.state }, repaired.said)
  return repaired
}

function sentence(why: string, aside: string | undefined, then: string): string {
  return `${why}: ${then}${aside === undefined ? '' : `; what lay there is now ${aside}`}`
}

/** A share that is not mounted looks like an empty folder: nothing is computed anew into that. */
async function expectWarehouse(warehouse: string): Promise<void> {
  const there = await readdir(warehouse).catch(() => [])
  if (there.some((name) => !name.startsWith('.'))) return
  throw new Failure('resource', `the warehouse ${warehouse} is empty or not there: is it mounted?`, {
    evidence: { warehouse },
  })
}

/** Under a name that no reader globs; the stable name goes on to have it until something takes its place. */
async function putAside(warehouse: string, run: Run, { file }: PartitionPath): Promise<string> {
  const aside = foreignPath(warehouse, run.kind, run.name, run.partition, newRunId())
  await mkdir(dirname(aside), { recursive: true })
  if ((await stampOf(file)) !== 'not a file') await keepFile(file, aside)
  else await rename(file, aside)
  return relative(warehouse, aside)
}

/** Another copy of what the run wrote, to the last byte. */
async function otherCopy(warehouse: string, run: Run): Promise<string | undefined> {
  const places = [keptPath(warehouse, run.id)]
  if (run.kind === 'scores') places.push(supersededPath(warehouse, run.name, run.partition, run.id))
  for (const path of places) {
    const expected = { run: run.id, sha256: run.sha256, stamp: null }
    if ((await lookAtPublished(path, expected, { fully: true })).state === 'right') return path
  }
  return undefined
}

async function restore(warehouse: string, kept: string, target: PartitionPath): Promise<void> {
  const folder = attemptFolder(warehouse, `repair-${newRunId()}`)
  await keepFile(kept, join(folder, basename(target.file)))
  await moveIntoPlace(folder, target)
}

async function reopen(
  client: ClientBase,
  project: Project,
  slot: Slot,
  run: Run,
  say: (then: string) => string,
): Promise<Repaired> {
  const busy = slot.state !== 'published'
  const later = !busy && (await repairsUnderWay(client)) >= AT_ONCE
  if (later) {
    const said = say(`no other copy is kept, and it is computed again after ${AT_ONCE} others`)
    await stampFile(client, slot.id, null, said)
    return { state: 'removed', said }
  }
  const said = say(busy ? `no other copy is kept, and run ${slot.run} is ${slot.state}` : 'computed again')
  const reason = `${slotTitle(slot)}: ${said}`
  if (busy) await losePublished(client, slot.id, reason)
  else await reopenSlot(client, slot.id, repairOf(project, slot, run), reason)
  return { state: busy ? 'removed' : 'reopened', said }
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
