import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { View } from '../../project/project.ts'
import type { Moment } from '../../project/time/asof.ts'
import { type Cut, featureCut } from '../cut/cut.ts'
import { classify } from '../engine/classify.ts'
import type { Identity, InputFile, VisibleRows } from '../engine/facts.ts'
import { openFeatureQuery } from '../features/feature-query.ts'
import { identityOf } from '../features/view-hash.ts'
import { parseAlone } from '../sql/parse-alone.ts'
import { hasMovedDates } from './admitted.ts'
import { EVER, inputsOf } from './input-files.ts'
import { cutSources } from './source-tables.ts'
import { fileKey, hashVisible } from './visible.ts'

export interface StalenessRequest {
  /** Absolute path of the project. */
  root: string
  view: View
  /** The project's zone. */
  timezone: string
  threads: number
  /** Published partitions: what each was computed from. */
  partitions: PublishedPartition[]
}

export interface PublishedPartition {
  asOf: Moment
  viewHash: string | null
  inputs: InputFile[]
}

/** Why a partition is not what a run would compute now. */
export interface Stale {
  reason: string
  /** False where it could not be compared: the reason may pass without a change of the files that are listed. */
  compared: boolean
}

/**
 * Of each partition why it is not what a run would compute now, undefined where it is. Files are compared by size,
 * modification time and rows; where those differ, the rows that can be seen at the as-of decide, whatever their order
 * and however they are spread over files. Sources that features.sql does not read do not count, although older runs
 * have recorded them. What keeps a partition from being compared is its reason. Never throws for what lies in the files.
 */
export async function findStale(request: StalenessRequest): Promise<(Stale | undefined)[]> {
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-stale-')))
  try {
    const checked = await parseAlone(request.root, request.view, request.timezone, temp)
    const identity = identityOf(checked, request.view, request.timezone)
    const reasons: (Stale | undefined)[] = []
    for (const partition of request.partitions) {
      reasons.push(
        (await changedView(request, partition, identity, checked.tables)) ??
          (await staleInput(request, partition, checked.tables, temp)),
      )
    }
    return reasons
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

async function changedView(
  { root, view, timezone }: StalenessRequest,
  { viewHash, asOf }: PublishedPartition,
  identity: Identity,
  names: string[],
): Promise<Stale | undefined> {
  if (viewHash === identity.viewHash) return undefined
  if (viewHash === null || viewHash !== identity.formerHash) return staleBy('the view has changed')
  try {
    const cut = featureCut(asOf, EVER, timezone)
    const sources = await cutSources(root, view, cut, { names })
    const moved = sources.find(({ found }) => hasMovedDates(found, cut))
    return staleBy(
      moved &&
        `dates of source ${moved.found.name} were cut at another midnight: they are days of ${moved.found.zones.dates} now, seen when they are over`,
    )
  } catch (error) {
    return incomparable(error)
  }
}

async function staleInput(
  request: StalenessRequest,
  partition: PublishedPartition,
  reads: string[],
  temp: string,
): Promise<Stale | undefined> {
  // What arrived after the run had read counts: a run would see it now.
  const cut = featureCut(partition.asOf, EVER, request.timezone)
  try {
    const now = inputsOf(await cutSources(request.root, request.view, cut, { names: reads }))
    const then = partition.inputs.filter(({ source }) => reads.includes(source))
    const known = new Set(then.map(fileKey))
    const same = new Set(now.map(fileKey).filter((key) => known.has(key)))
    const before = then.filter((input) => !same.has(fileKey(input)))
    const after = now.filter((input) => !same.has(fileKey(input)))
    if (before.length + after.length === 0) return undefined
    return staleBy(changeText(before, await hashed(request, partition, cut, after, temp)))
  } catch (error) {
    return incomparable(error)
  }
}

function staleBy(reason: string | undefined): Stale | undefined {
  return reason === undefined ? undefined : { reason, compared: true }
}

function incomparable(error: unknown): Stale {
  return { reason: `its inputs cannot be compared: ${classify(error).message}`, compared: false }
}

async function hashed(
  { root, view, threads }: StalenessRequest,
  { asOf }: PublishedPartition,
  cut: Cut,
  inputs: InputFile[],
  temp: string,
): Promise<InputFile[]> {
  if (inputs.length === 0) return []
  const query = await openFeatureQuery({ root, view, asOf, cut, writable: temp, temp, threads })
  try {
    return await hashVisible(query.engine, query.tables, cut, inputs)
  } finally {
    query.close()
  }
}

/** The first file that differs among sources whose rows do, undefined where every source has the rows that it had. */
function changeText(before: InputFile[], after: InputFile[]): string | undefined {
  const sources = [...new Set([...before, ...after].map(({ source }) => source))]
  const changes = sources.flatMap((source) => {
    const own = (inputs: InputFile[]) => inputs.filter((input) => input.source === source)
    return sameRows(own(before), own(after)) ? [] : changedFiles(own(before), own(after))
  })
  const [first] = changes
  if (first === undefined) return undefined
  const more = changes.length - 1
  return more === 0 ? first : `${first}, and ${more} more ${more === 1 ? 'file' : 'files'}`
}

function sameRows(before: InputFile[], after: InputFile[]): boolean {
  const kinds = new Set([...before, ...after].map(({ visible }) => visible?.of))
  if (kinds.size > 1 || kinds.has(undefined)) return [...before, ...after].every(isUnseen)
  const [a, b] = [total(before), total(after)]
  return a.rows === b.rows && a.sum === b.sum
}

function isUnseen({ visible }: InputFile): boolean {
  return visible?.rows === 0
}

function total(inputs: InputFile[]): { rows: number; sum: bigint } {
  const seen = inputs.map(({ visible }) => visible).filter((each): each is VisibleRows => each !== undefined)
  return {
    rows: seen.reduce((sum, { rows }) => sum + rows, 0),
    sum: seen.reduce((sum, each) => sum + BigInt(each.sum), 0n),
  }
}

function changedFiles(before: InputFile[], after: InputFile[]): string[] {
  const old = new Map(before.map((input) => [input.path, input]))
  const changed = after.flatMap((input) => {
    const was = old.get(input.path)
    old.delete(input.path)
    const [rows, rowsBefore] = [rowsOf(input), was === undefined ? undefined : rowsOf(was)]
    if (was === undefined) return rows === 0 ? [] : [`${input.path} is new, with ${rows} rows before the cut`]
    if (
      was.visible !== undefined &&
      was.visible.of === input.visible?.of &&
      was.visible.sum === input.visible.sum
    )
      return []
    return [
      `${input.path} has changed: ${rows} rows before the cut, ${rowsBefore === rows ? 'as many as it had, but others' : `${rowsBefore} when it was read`}`,
    ]
  })
  const gone = [...old.values()].filter((input) => rowsOf(input) > 0)
  return [
    ...changed,
    ...gone.map((input) => `${input.path} is gone, with ${rowsOf(input)} rows before the cut`),
  ]
}

function rowsOf({ visible, rows }: InputFile): number {
  return visible?.rows ?? rows
}
