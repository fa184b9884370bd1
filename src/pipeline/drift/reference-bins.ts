import type { ColumnProfile, NumberProfile } from '../profile/profile.ts'
import { total } from './psi.ts'

/** How the counts of a column are put together into the bins that are compared. */
export interface Bins {
  /** Counts of a profile on the same edges or values; null where it has others. */
  of(profile: ColumnProfile): Float64Array | null
  /** Places in these counts; the last bin is always that of the nulls. */
  nulls: number
  /** Of values that the baseline does not have; null for numbers. */
  unseen: number | null
  /** What a bin holds, in words. */
  name(bin: number): string
}

/**
 * Bins of a column: about ten of equal share of the reference for numbers, a value each for categories; infinities,
 * other values, unseen values and nulls have bins of their own.
 */
export function binsOf(reference: ColumnProfile): Bins {
  if (reference.kind === 'category') {
    const values = reference.values
    return {
      of: (profile) =>
        profile.kind === 'category' && same(profile.values, values)
          ? Float64Array.from([...profile.counts, profile.other, profile.unseen, profile.nulls])
          : null,
      nulls: values.length + 2,
      unseen: values.length + 1,
      name: (bin) => values[bin] ?? ['other values', 'unseen values', 'nulls'][bin - values.length] ?? '',
    }
  }
  const groups = quantileGroups(reference)
  const count = (groups.at(-1) ?? 0) + 1
  return {
    of(profile) {
      if (profile.kind !== 'number' || !same(profile.edges, reference.edges)) return null
      const counts = new Float64Array(count + 2)
      for (const [bin, group] of groups.entries())
        counts[group] = (counts[group] ?? 0) + (profile.counts[bin] ?? 0)
      counts[count] = profile.infinite
      counts[count + 1] = profile.nulls
      return counts
    },
    nulls: count + 1,
    unseen: null,
    name(bin) {
      if (bin >= count) return bin === count ? 'infinities' : 'nulls'
      const first = groups.indexOf(bin)
      return `from ${reference.edges[first - 1] ?? 'the lowest'} to ${reference.edges[groups.lastIndexOf(bin)] ?? 'the highest'}`
    },
  }
}

/**
 * For each fine bin the coarse one that it goes into: fine bins are joined until they hold a tenth of the values. One
 * that holds a twentieth by itself stays alone, so that what lies below or above an atom is distinguished from it.
 */
function quantileGroups({ counts }: NumberProfile): number[] {
  const values = total(counts)
  let group = 0
  let held = 0
  let isOpen = false
  return counts.map((count) => {
    const isAtom = count >= values / 20 && values > 0 && counts.length > 1
    // A tenth, less what a percentile may lack.
    if (isOpen && (isAtom || held >= values * 0.095)) {
      group++
      held = 0
    }
    held = isAtom ? values : held + count
    isOpen = true
    return group
  })
}

function same<T>(a: T[], b: T[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}
