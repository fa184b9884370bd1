import type { Run } from '../../ledger/nights/run-records.ts'
import type { Connection } from '../../ledger/nights/slots.ts'
import { readDataset } from '../../pipeline/dataset/read-dataset.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import { columnKey } from '../../pipeline/profile/column-key.ts'
import { mergeProfiles } from '../../pipeline/profile/merge.ts'
import type { Baseline, ColumnProfile, Profile } from '../../pipeline/profile/profile.ts'
import type { Model, Project } from '../../project/project.ts'
import { addDays, parseAsOf } from '../../project/time/asof.ts'
import type { Version } from '../../registry/version-records.ts'
import { driftedColumns, type NightProfile, profilesOf } from './record.ts'

/** What a night is compared with. */
export interface Reference {
  /** Where it is from, in words. */
  text: string
  profile: Profile
  /** The as-ofs or nights that it adds up from; empty where it has but one. */
  parts: Profile[]
  /** Parquet files of its features, which may be gone by now. */
  files: string[]
  /** What whoever reads the comparison has to know. */
  note: string | null
}

/** A night that there is nothing to compare with, and why. */
export interface NoReference {
  reference: undefined
  note: string
}

interface ComparedNight {
  model: Model
  version: Pick<Version, 'version' | 'view'>
  run: Run
}

/** The reference of a night, as `drift.reference` says. `baseline` is that of the version that scored it. */
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
      // Half a window would be another reference every night.
      if (Date.parse(asOf) >= Date.parse(span.from) && Date.parse(asOf) <= Date.parse(span.to)) {
        return { reference: undefined, note: `this is one of the ${text}, with which others are compared` }
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
      // A back-filled night is made of what was known later: it is no measure of what a night knows.
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
      : await readDataset(warehouse, name, baseline.dataset).catch(() => undefined)
  return {
    text: baseline.text,
    profile: baseline.profile,
    parts: baseline.by_as_of.map(({ profile }) => profile),
    files: dataset === undefined ? [] : [dataset.holdout],
    note: null,
  }
}

/** A version without a holdout: its first night stands in for it, and everything says so. */
function firstNight(
  { warehouse }: Project,
  { version, run }: ComparedNight,
  baseline: Baseline,
): { reference: Reference; note: null } | NoReference {
  const { night = '' } = baseline
  if (night === run.partition) {
    return {
      reference: undefined,
      note: `this is the first night of version ${version.version}, which has no holdout: later nights are compared with it`,
    }
  }
  return found({
    text: baseline.text,
    profile: baseline.profile,
    parts: [],
    files: [partitionPath(warehouse, 'features', version.view, night).file],
    note: `version ${version.version} has no holdout: it is compared with its first night, ${night}`,
  })
}

/** Nights of a window that nobody has looked at: they failed, or were not due yet when it was written down. */
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
  /** What drifted on them, by run: left out of what later nights are compared with, while other nights are left. */
  drifted?: Map<string, ColumnName[]>
}

type ColumnName = Pick<ColumnProfile, 'column' | 'score'>

/** Nights add up where they were counted alike: on the edges and values of the version's baseline. */
function ofNights(
  { warehouse }: Project,
  { version, run }: ComparedNight,
  baseline: Baseline,
  { nights, text, note = null, drifted = new Map() }: Candidates,
): { reference: Reference; note: null } | NoReference {
  const others = nights.filter((each) => each.partition !== run.partition)
  const alike = others.filter(({ profile }) => isCountedLike(baseline.profile, profile))
  const left = others.length - alike.length
  const otherEdges = 'left out: they were counted on other edges'
  const leftOut = left === 0 ? null : `${left} of ${others.length} nights are ${otherEdges}`
  if (alike.length === 0) {
    return {
      reference: undefined,
      note: `nothing to compare with: ${left === 0 ? `none of the ${text} is there` : `all that are there of the ${text} (${left}) are ${otherEdges}`}`,
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

/** Columns that are named in the note: more are counted. */
const NAMED = 3

/**
 * The profiles of nights without the columns that drifted on them, as long as a column has another night left: one broken
 * night would be what the next weeks are compared with, and what they differ by. A change that stays becomes the usual
 * once it is on all of them.
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
      left.size === 0
        ? null
        : `where a column drifted, it is left out: ${named.slice(0, NAMED).join('; ')}${more}`,
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
