import type { Kind, Slot } from '../../ledger/nights/slots.ts'
import type { AsOf } from '../../project/time/asof.ts'

/**
 * missing  nights without a partition that have not failed
 * failed   nights that failed or are held
 * stale    nights published from inputs that have changed since
 * all      all nights
 */
export type BackfillMode = 'missing' | 'failed' | 'stale' | 'all'

/** Which version scores a night. `as-was`: the champion at the time the night was due. */
export type VersionChoice =
  | { use: 'champion'; version: number | undefined }
  | { use: 'version'; version: number }
  | { use: 'as-was'; champions: { at: string; version: number }[] }

export type BackfillSlot = Pick<
  Slot,
  'as_of' | 'partition' | 'state' | 'schedule' | 'due' | 'reason' | 'run' | 'published_run' | 'published_at'
> & {
  /** The version whose scores are published; null for features and if nothing is published. */
  version: number | null
  /** What changed since it was published, such as the name of a file; undefined if nothing did. */
  stale: string | undefined
}

/** Which night: an instant and its label. */
export type NightAsOf = Pick<AsOf, 'instant' | 'label'>

/** What is asked for, and what the ledger says about it. Times ISO 8601. */
export interface BackfillInput {
  now: string
  kind: Kind
  name: string
  asOfs: NightAsOf[]
  /** The slots of this view or model among those as-ofs. */
  slots: BackfillSlot[]
  mode: BackfillMode
  /** Undefined for features. */
  versions: VersionChoice | undefined
  /** The views that a version's scores are computed from, by version; empty for features. */
  views: Record<number, string[]>
  /** Slots of those views among the same as-ofs, by view. */
  viewSlots: Record<string, BackfillSlot[]>
  /** Nights that are already taken, by label, with the reason. */
  taken: Record<string, string>
  /** For as-ofs without a slot: when the calendar would have run them, by label. */
  dues: Record<string, string>
  latestFirst: boolean
  /** Concurrent runs. */
  maxActive: number
  /** Past published runs of this view or model, and of the views that it needs. */
  past: { own: PastRun[]; views: PastRun[] }
}

export interface PastRun {
  seconds: number
  rows: number
}

export interface BackfillStep {
  as_of: string
  action: 'run' | 'skip'
  reason: string
  /** Null for features, and if no version is known. */
  version: number | null
  /** The run whose partition this one replaces. */
  replaces: string | null
}

export interface ViewRefresh {
  view: string
  as_of: string
  reason: string
}

/** The output of `backfill --dry-run`. */
export interface BackfillPlan {
  kind: Kind
  name: string
  /** In execution order. */
  slots: BackfillStep[]
  /** Null if several versions score, or none. */
  version: number | null
  /** Estimate in seconds from the median of past runs; null without past runs. */
  estimate_seconds: number | null
  /** Rows to be written, estimated in the same way. */
  rows: number | null
  refresh: ViewRefresh[]
}

type Verdict = { action: 'run' | 'skip'; reason: string }

/**
 * Plans a backfill before anything is done: action, reason and version of each as-of, the view partitions that are
 * refreshed first because they are missing or stale, what is replaced, and the estimated cost.
 */
export function planBackfill(input: BackfillInput): BackfillPlan {
  const slots = bySlot(input.slots)
  const refresh: ViewRefresh[] = []
  const steps = ordered(input).map((asOf): BackfillStep => {
    const slot = slots.get(asOf.label)
    const version = versionOf(input, asOf, slot)
    const verdict = judge(input, asOf, slot, version)
    const views = verdict.action === 'run' ? planViews(input, asOf, version) : undefined
    const final = views?.blocked === undefined ? verdict : skip(views.blocked)
    if (final.action === 'run') refresh.push(...(views?.refresh ?? []))
    const replaces = final.action === 'run' ? (slot?.published_run ?? null) : null
    return { as_of: asOf.label, ...final, version: version ?? null, replaces }
  })
  const runs = steps.filter(({ action }) => action === 'run')
  const versions = new Set(runs.map(({ version }) => version))
  const [version] = versions
  return {
    kind: input.kind,
    name: input.name,
    slots: steps,
    version:
      versions.size === 1 ? (version ?? null) : runs.length === 0 ? chosenVersion(input.versions) : null,
    estimate_seconds: estimateSeconds(input, runs.length, refresh.length),
    rows: estimateRows(input, runs.length),
    refresh,
  }
}

function ordered({ asOfs, latestFirst }: BackfillInput): NightAsOf[] {
  const direction = latestFirst ? -1 : 1
  return [...asOfs].sort((a, b) => direction * (Date.parse(a.instant) - Date.parse(b.instant)))
}

/** Undefined for features, and where no version is (or was) champion. */
function versionOf(
  input: BackfillInput,
  asOf: NightAsOf,
  slot: BackfillSlot | undefined,
): number | undefined {
  const { versions } = input
  switch (versions?.use) {
    case undefined:
      return undefined
    case 'champion':
    case 'version':
      return versions.version
    case 'as-was':
      return championAt(versions.champions, nightOf(input, asOf, slot))
  }
}

/** When an as-of was, or would have been, run: which champion it had follows from that. */
function nightOf(input: BackfillInput, asOf: NightAsOf, slot: BackfillSlot | undefined): string {
  return slot?.due ?? input.dues[asOf.label] ?? asOf.instant
}

function championAt(champions: { at: string; version: number }[], instant: string): number | undefined {
  let newest: { at: string; version: number } | undefined
  for (const change of champions) {
    if (Date.parse(change.at) > Date.parse(instant)) continue
    if (newest === undefined || Date.parse(change.at) >= Date.parse(newest.at)) newest = change
  }
  return newest?.version
}

function judge(
  input: BackfillInput,
  asOf: NightAsOf,
  slot: BackfillSlot | undefined,
  version: number | undefined,
): Verdict {
  const { now, mode, versions } = input
  if (Date.parse(asOf.instant) > Date.parse(now)) return skip('it is in the future')
  const taken = input.taken[asOf.label]
  if (taken !== undefined) return skip(taken)
  if (slot !== undefined) {
    if (['waiting', 'queued', 'running', 'publishing'].includes(slot.state)) {
      return skip(`run ${slot.run ?? '?'} is ${slot.state}`)
    }
    const comes = slot.state === 'expected' && slot.due !== null && Date.parse(slot.due) > Date.parse(now)
    if (comes && slot.schedule !== null) return skip(`schedule ${slot.schedule} runs it at ${slot.due}`)
  }
  const verdict = byMode(mode, slot)
  if (verdict.action === 'skip' || versions === undefined || version !== undefined) return verdict
  return versions.use === 'as-was'
    ? skip(`no version was champion at ${nightOf(input, asOf, slot)}`)
    : skip('no champion: promote a version, or name one with --version N')
}

function byMode(mode: BackfillMode, slot: BackfillSlot | undefined): Verdict {
  const broken = slot?.state === 'failed' || slot?.state === 'held'
  const published = slot?.published_run ?? null
  const last = `${slot?.state} (run ${slot?.run ?? '?'})`
  const publishedBy = `published by run ${published}${slot?.version == null ? '' : ` with version ${slot.version}`}`
  switch (mode) {
    case 'missing':
      if (published !== null)
        return skip(broken ? `${publishedBy}; a later run is ${last}: --failed re-runs it` : publishedBy)
      if (broken) return skip(`it is ${last}: --failed re-runs it`)
      return run(
        slot?.state === 'skipped'
          ? `it was skipped: ${slot.reason ?? 'no reason given'}`
          : 'it has no partition',
      )
    case 'failed':
      return broken ? run(`it is ${last}`) : skip(published === null ? 'it has not failed' : publishedBy)
    case 'stale':
      if (published === null) return skip('it has no partition that could be stale')
      return slot?.stale === undefined
        ? skip(`${publishedBy}; its inputs are unchanged`)
        : run(`it is stale: ${slot.stale}`)
    case 'all':
      if (published !== null) return run(`replaces the output of run ${published}`)
      return run(broken ? `it is ${last}` : 'it has no partition')
  }
}

/** The view partitions to refresh for one as-of, or why its scores cannot be computed. */
function planViews(
  input: BackfillInput,
  asOf: NightAsOf,
  version: number | undefined,
): { refresh: ViewRefresh[]; blocked: string | undefined } {
  const refresh: ViewRefresh[] = []
  for (const view of version === undefined ? [] : (input.views[version] ?? [])) {
    const slot = (input.viewSlots[view] ?? []).find((each) => each.partition === asOf.label)
    const add = (reason: string) => refresh.push({ view, as_of: asOf.label, reason })
    if (slot === undefined) add('it has no partition')
    else if (['waiting', 'queued', 'running', 'publishing'].includes(slot.state)) {
      // Its run is joined.
    } else if (slot.published_run !== null) {
      if (slot.stale !== undefined) add(`it is stale: ${slot.stale}`)
    } else if (slot.state === 'held' && input.mode !== 'failed' && input.mode !== 'all') {
      // A person must check the data; a backfill that requested it again would only be held again.
      const blocked = `features ${view} are held (run ${slot.run ?? '?'}): release it, or re-run it with --failed`
      return { refresh: [], blocked }
    } else add(slot.state === 'expected' ? 'it has no partition' : `it is ${slot.state}`)
  }
  return { refresh, blocked: undefined }
}

function estimateSeconds(input: BackfillInput, runs: number, refreshes: number): number | null {
  const own = median(input.past.own.map(({ seconds }) => seconds))
  const view = median(input.past.views.map(({ seconds }) => seconds))
  if (runs === 0) return 0
  if (own === undefined || (refreshes > 0 && view === undefined)) return null
  const concurrent = Math.max(1, Math.min(input.maxActive, runs))
  return Math.ceil((runs * own + refreshes * (view ?? 0)) / concurrent)
}

function estimateRows(input: BackfillInput, runs: number): number | null {
  const rows = median(input.past.own.map((past) => past.rows))
  if (runs === 0) return 0
  return rows === undefined ? null : Math.round(rows * runs)
}

function chosenVersion(versions: VersionChoice | undefined): number | null {
  return versions === undefined || versions.use === 'as-was' ? null : (versions.version ?? null)
}

function bySlot(slots: BackfillSlot[]): Map<string, BackfillSlot> {
  return new Map(slots.map((slot) => [slot.partition, slot]))
}

function median(values: number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const high = sorted[Math.floor(middle)]
  if (high === undefined || sorted.length % 2 === 1) return high
  return (high + (sorted[middle - 1] ?? high)) / 2
}

function run(reason: string): Verdict {
  return { action: 'run', reason }
}

function skip(reason: string): Verdict {
  return { action: 'skip', reason }
}
