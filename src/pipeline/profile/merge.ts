import { columnKey } from './column-key.ts'
import { interpolate } from './interpolate.ts'
import type { CategoryProfile, ColumnProfile, NumberProfile, Profile } from './profile.ts'

/**
 * Several profiles, oldest first, as one: the reference of a fixed window, or of the same weekday of the last weeks.
 * Each column is that of the newest that has it, with the counts of all that were counted on the same edges or
 * values. The nights of one population have the same customers: `entities` is that of the largest, so that nights are
 * not treated as independent. Throws a TypeError where there is none.
 */
export function mergeProfiles(profiles: Profile[]): Profile {
  const newest = profiles.at(-1)
  if (newest === undefined) throw new TypeError('expected at least one profile to merge, got: none')
  return {
    rows: sum(profiles.map(({ rows }) => rows)),
    entities: Math.max(...profiles.map(({ entities }) => entities)),
    columns: newestOfEach(profiles).map((column) => mergeColumn(column, profiles)),
    left_out: newest.left_out,
  }
}

/** In the order of the fullest profile: one may lack what others have. */
function newestOfEach(profiles: Profile[]): ColumnProfile[] {
  const newest = new Map(
    profiles.flatMap(({ columns }) => columns).map((column) => [columnKey(column), column]),
  )
  const fullest = [...profiles].sort((a, b) => b.columns.length - a.columns.length)
  const order = new Set(fullest.flatMap(({ columns }) => columns).map(columnKey))
  return [...order].flatMap((each) => newest.get(each) ?? [])
}

function mergeColumn(newest: ColumnProfile, profiles: Profile[]): ColumnProfile {
  const all = profiles.flatMap(({ columns }) =>
    columns.filter(({ column, score }) => column === newest.column && score === newest.score),
  )
  if (newest.kind === 'number') {
    return mergeNumbers(
      newest,
      all.filter((each) => each.kind === 'number').filter((each) => same(each.edges, newest.edges)),
    )
  }
  return mergeCategories(
    newest,
    all.filter((each) => each.kind === 'category').filter((each) => same(each.values, newest.values)),
  )
}

function mergeNumbers(newest: NumberProfile, all: NumberProfile[]): NumberProfile {
  const counts = newest.counts.map((_, bin) => sum(all.map((each) => each.counts[bin] ?? 0)))
  const filled = all.filter((each) => each.min !== null)
  const values = sum(counts)
  const low = Math.min(...filled.map((each) => each.min ?? Number.POSITIVE_INFINITY))
  const high = Math.max(...filled.map((each) => each.max ?? Number.NEGATIVE_INFINITY))
  const isKnown = filled.every((each) => each.mean !== null && each.sd !== null)
  const mean = sum(filled.map((each) => (each.mean ?? 0) * sum(each.counts))) / values
  const variance =
    sum(filled.map((each) => ((each.sd ?? 0) ** 2 + ((each.mean ?? 0) - mean) ** 2) * sum(each.counts))) /
    values
  return {
    ...newest,
    rows: sum(all.map(({ rows }) => rows)),
    nulls: sum(all.map(({ nulls }) => nulls)),
    distinct: Math.max(...all.map(({ distinct }) => distinct)),
    infinite: sum(all.map(({ infinite }) => infinite)),
    min: values === 0 ? null : low,
    max: values === 0 ? null : high,
    mean: values === 0 || !isKnown ? null : mean,
    sd: values === 0 || !isKnown ? null : Math.sqrt(variance),
    quantiles: values === 0 ? null : interpolate(newest.edges, counts, low, high),
    counts,
  }
}

function mergeCategories(newest: CategoryProfile, all: CategoryProfile[]): CategoryProfile {
  const unseen = new Map<string, number>()
  for (const { value, count } of all.flatMap(({ unseen_values }) => unseen_values))
    unseen.set(value, (unseen.get(value) ?? 0) + count)
  return {
    ...newest,
    rows: sum(all.map(({ rows }) => rows)),
    nulls: sum(all.map(({ nulls }) => nulls)),
    distinct: Math.max(...all.map(({ distinct }) => distinct)),
    counts: newest.counts.map((_, bin) => sum(all.map((each) => each.counts[bin] ?? 0))),
    other: sum(all.map(({ other }) => other)),
    unseen: sum(all.map((each) => each.unseen)),
    unseen_values: [...unseen]
      .map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, 5),
  }
}

function same<T>(a: T[], b: T[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
