import type { CategoryProfile, ColumnProfile } from '../pipeline/profile/profile.ts'
import { nullShare } from './histogram-bins.ts'

/** One value of a column, and its share of all rows before and now. */
export interface Category {
  name: string
  reference: number
  tonight: number
  /** The rows without a value, as opposed to a value named `null`. */
  isNull?: boolean
}

const MOST = 8

/**
 * The most frequent values of either side, at most eight, then the rest, values that the reference does not have, and
 * nulls, if there are any. If the two sides were counted differently, each side has its own values.
 */
export function categoriesOf(reference: ColumnProfile, tonight: ColumnProfile): Category[] {
  if (reference.kind === 'number' || tonight.kind === 'number') return nullsOf(reference, tonight)
  const [before, now] = [sharesOf(reference), sharesOf(tonight)]
  const all = [...new Set([...reference.values, ...tonight.values])].map((name) => ({
    name,
    reference: before.get(name) ?? 0,
    tonight: now.get(name) ?? 0,
  }))
  const sorted = all.toSorted((a, b) => weight(b) - weight(a))
  const rest = sorted.slice(MOST)
  const beyond = {
    name: rest.length === 0 ? 'other' : `${rest.length} others`,
    reference: sum(rest, 'reference') + share(reference, reference.other),
    tonight: sum(rest, 'tonight') + share(tonight, tonight.other),
  }
  const unseen = {
    name: unseenName(tonight),
    reference: share(reference, reference.unseen),
    tonight: share(tonight, tonight.unseen),
  }
  return [...sorted.slice(0, MOST), ...[beyond, unseen].filter(there), ...nullsOf(reference, tonight)]
}

function nullsOf(reference: ColumnProfile, tonight: ColumnProfile): Category[] {
  const nulls = { name: 'null', reference: nullShare(reference), tonight: nullShare(tonight), isNull: true }
  return [nulls].filter(there)
}

function sharesOf(profile: CategoryProfile): Map<string, number> {
  return new Map(profile.values.map((value, index) => [value, share(profile, profile.counts[index] ?? 0)]))
}

/** `unseen: trial` where it is one value, else `unseen`. */
function unseenName({ unseen_values: values }: CategoryProfile): string {
  const [only, ...others] = values
  return only === undefined || others.length > 0 ? 'unseen' : `unseen: ${only.value}`
}

function share({ rows }: CategoryProfile, rowsWith: number): number {
  return rows === 0 ? 0 : rowsWith / rows
}

function weight({ reference, tonight }: Category): number {
  return Math.max(reference, tonight)
}

function there(category: Category): boolean {
  return weight(category) > 0
}

function sum(categories: Category[], side: 'reference' | 'tonight'): number {
  return categories.reduce((total, category) => total + category[side], 0)
}
