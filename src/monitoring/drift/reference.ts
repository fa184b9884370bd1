import type { Run } from '../../ledger/nights/run-records.ts'
import type { Connection } from '../../ledger/nights/slots.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import { columnKey } from '../../pipeline/profile/column-key.ts'
import { mergeProfiles } from '../../pipeline/profile/merge.ts'
import type { Baseline, ColumnProfile, Profile } from '../../pipeline/profile/profile.ts'
import type { Model, Project } from '../../project/project.ts'
import { addDays, parseAsOf } from '../../project/time/asof.ts'
import type { Version } from '../../registry/version-records.ts'
import { storedDataset } from '../../storage/stored-dataset.ts'
import { driftedColumns, type NightProfile, profilesOf } from './record.ts'

/** The reference that a night is compared with. */
export interface Reference {
  /** Description of its origin. */
  text: string
  profile: Profile
  /** The as-ofs or nights that it consists of; empty if there is only one. */
  parts: Profile[]
  /** Parquet files of its features, which may have been deleted since. */
  files: string[]
  /** What readers of the comparison need to know. */
  note: string | null
}

/** A night without a reference, and why. */
export interface NoReference {
  reference: undefined
  note: string
}

interface ComparedNight {
  model: Model
  version: Pick<Version, 'version' | 'view'>
  run: Run
}

/**
 * The reference of a night according to `drift.reference`. `baseline` is the baseline of the version that scored it.
 */
export async function referenceOf(
  connection: Connection,
  project: Project,
  night: ComparedNight,
  baseline: Baseline,
): Promise<{ reference: Reference; note: null } | NoReference> {
  const { reference } = night.model.drift
  switch (reference.kind) {
    case 'holdout':
      return baseline.kind === 'holdout'
        ? found(await holdoutReference(project, night.model, baseline))
        : firstNight(project, night, baseline)
    case 'window': {
      const span = {
        from: parseAsOf(reference.from, project.timezone).instant,
        to: parseAsOf(reference.to, project.timezone).instant,
      }
      const text = `nights ${reference.from} to ${reference.to}`
      const asOf = parseAsOf(night.run.partition, project.timezone).instant
      // Part of a window would be a different reference every night.
      if (Date.parse(asOf) >= Date.parse(span.from) && Date.parse(asOf) <= Date.parse(span.to)) {
        return { reference: undefined, note: `this is one of the reference ${text}` }
      }
      const nights = await profilesOf(connection, night.model.name, span)
      const missing = await missingNote(connection, night.model.name, span, nights)
      return ofNights(project, night, baseline, { nights, text, note: missing })
    }
    case 'same_weekday': {
      const { weeks } = reference
      const asOf = parseAsOf(night.run.partition, project.timezone)
      const meant = Array.from({ length: weeks }, (_, week) =>
        addDays(asOf, -7 * (weeks - week), project.timezone),
      )
      const nights = await profilesOf(connection, night.model.name, {
        from: meant[0]?.instant ?? asOf.instant,
        to: asOf.instant,
      })
      const labels = new Set(meant.map(({ label }) => label))
      // A backfilled night contains data that arrived later, so it is not a valid reference for what a night knows.
      const alike = nights.filter(({ partition, backfilled }) => labels.has(partition) && !backfilled)
      return ofNights(project, night, baseline, {
        nights: alike,
        text: `same weekday of the last ${weeks === 1 ? 'week' : `${weeks} weeks`}`,
        drifted: await driftedColumns(
          connection,
          alike.map(({ run }) => run),
        ),
      })
    }
  }
}

function found(reference: Reference): { reference: Reference; note: null } {
  return { reference, note: null }
}

async function holdoutReference(
  { warehouse }: Project,
  { name }: Model,
  baseline: Baseline,
): Promise<Reference> {
  const dataset =
    baseline.dataset === null
      ? undefined
      : await storedDataset(warehouse, name, baseline.dataset).catch(() => undefined)
  return {
    text: baseline.text,
    profile: baseline.profile,
    parts: baseline.by_as_of.map(({ profile }) => profile),
    files: dataset === undefined ? [] : [dataset.holdout],
    note: null,
  }
}

/** For a version without a holdout, its first night is the reference; the notes state that. */
function firstNight(
  { warehouse }: Project,
  { version, run }: ComparedNight,
  baseline: Baseline,
): { reference: Reference; note: null } | NoReference {
  const { night = '' } = baseline
  if (night === run.partition) {
    return {
      reference: undefined,
      note: `this is the first night of version ${version.version}, which has no holdout; it is the reference for later nights`,
    }
  }
  return found({
    text: baseline.text,
    profile: baseline.profile,
    parts: [],
    files: [partitionPath(warehouse, 'features', version.view, night).file],
    note: `version ${version.version} has no holdout; the reference is its first night, ${night}`,
  })
}

/** Nights of a window without a profile: they failed, or were not yet due when this was recorded. */
async function missingNote(
  connection: Connection,
  model: string,
  { from, to }: { from: string; to: string },
  nights: NightProfile[],
): Promise<string | null> {
  const { rows } = await connection.query<{ due: number }>(
    `select count(*)::int as due from nightshift.slots
      where kind = 'scores' and name = $1 and as_of >= $2 and as_of <= $3`,
    [model, from, to],
  )
  const due = rows[0]?.due ?? 0
  return due <= nights.length ? null : `${due - nights.length} of its ${due} nights are missing`
}

interface Candidates {
  /** Oldest first. */
  nights: NightProfile[]
  text: string
  note?: string | null
  /** Columns that drifted, by run: excluded from the reference as long as other nights have the column. */
  drifted?: Map<string, ColumnName[]>
}

type ColumnName = Pick<ColumnProfile, 'column' | 'score'>

/** Profiles of nights can be merged if they use the same bins: the edges and values of the version's baseline. */
function ofNights(
  { warehouse }: Project,
  { version, run }: ComparedNight,
  baseline: Baseline,
  { nights, text, note = null, drifted = new Map() }: Candidates,
): { reference: Reference; note: null } | NoReference {
  const others = nights.filter((each) => each.partition !== run.partition)
  const alike = others.filter(({ profile }) => isCountedLike(baseline.profile, profile))
  const left = others.length - alike.length
  const otherEdges = 'left out because they were counted on different edges'
  const leftOut = left === 0 ? null : `${left} of ${others.length} nights are ${otherEdges}`
  if (alike.length === 0) {
    return {
      reference: undefined,
      note: `no reference: ${left === 0 ? `none of the ${text} is available` : `all available nights of the ${text} (${left}) were ${otherEdges}`}`,
    }
  }
  const { profiles, without } = withoutDrifted(alike, drifted)
  const names = alike.map(({ partition }) => partition)
  const quiet = alike.filter((each) => !drifted.has(each.run))
  return found({
    text: `${text} (${names.length <= 4 ? names.join(', ') : `${names.length} nights`})`,
    profile: mergeProfiles(profiles),
    parts: profiles.length > 1 ? profiles : [],
    files: (quiet.length > 0 ? quiet : alike).map(
      ({ partition }) => partitionPath(warehouse, 'features', version.view, partition).file,
    ),
    note: [note, leftOut, without].filter((each) => each !== null).join('; ') || null,
  })
}

/** Columns named in the note; the others are only counted. */
const NAMED = 3

/**
 * The profiles of nights without the columns that drifted on them, as long as another night has the column. Otherwise
 * one broken night would be the reference of the following weeks. A permanent change becomes the reference once all
 * nights have it.
 */
function withoutDrifted(
  nights: NightProfile[],
  drifted: Map<string, ColumnName[]>,
): { profiles: Profile[]; without: string | null } {
  const left = new Map<string, { name: string; nights: string[] }>()
  for (const column of nights.flatMap(({ run }) => drifted.get(run) ?? [])) {
    const on = nights.filter(({ run }) =>
      drifted.get(run)?.some((each) => columnKey(each) === columnKey(column)),
    )
    if (on.length === nights.length) continue
    left.set(columnKey(column), { name: column.column, nights: on.map(({ partition }) => partition) })
  }
  const profiles = nights.map(({ profile, partition }) => ({
    ...profile,
    columns: profile.columns.filter((column) => !left.get(columnKey(column))?.nights.includes(partition)),
  }))
  const named = [...left.values()].map((each) => `${each.name} without ${each.nights.join(', ')}`)
  const more = named.length > NAMED ? ` and ${named.length - NAMED} more columns` : ''
  return {
    profiles,
    without:
      left.size === 0 ? null : `drifted columns are left out: ${named.slice(0, NAMED).join('; ')}${more}`,
  }
}

function isCountedLike(baseline: Profile, profile: Profile): boolean {
  return (
    profile.columns.length > 0 &&
    profile.columns.every((column) => {
      const known = baseline.columns.find(
        (each) => each.column === column.column && each.score === column.score,
      )
      return known === undefined || hasSameBins(known, column)
    })
  )
}

function hasSameBins(a: ColumnProfile, b: ColumnProfile): boolean {
  if (a.kind === 'number' && b.kind === 'number') return isSame(a.edges, b.edges)
  return a.kind === 'category' && b.kind === 'category' && isSame(a.values, b.values)
}

function isSame<T>(a: T[], b: T[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}
