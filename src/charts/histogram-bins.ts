import type { ColumnProfile, NumberProfile } from '../pipeline/profile/profile.ts'

/** A part of the value axis: from, up to but without to, which the last one has too unless values are whole. */
export interface Bin {
  from: number
  to: number
  /** Of all rows, nulls included. */
  reference: number
  tonight: number
}

const BINS = 24

/**
 * Two profiles on the same bins of equal, round width. What was counted between two edges is spread evenly between them
 * (over the integers there, where they are integers). Values beyond the 1st and 99th percentile of both, where they lie
 * far out, are in the first and last bin. Empty where neither has a finite value.
 */
export function binsOf(reference: NumberProfile, tonight: NumberProfile): Bin[] {
  const whole = /INT/.test(tonight.type)
  const range = rangeOf([reference, tonight])
  if (range === undefined) return []
  const width = roundWidth(range, whole)
  const first = Math.floor(range.low / width)
  // Scores that reach 1 end at 1: a bin that only the largest value would be in is none.
  const end = whole ? Math.floor(range.high / width) + 1 : Math.ceil(range.high / width - 1e-9)
  const count = Math.max(1, end - first)
  const edges = Array.from({ length: count + 1 }, (_, index) => (first + index) * width)
  const [before, now] = [spread(reference, edges, whole), spread(tonight, edges, whole)]
  return edges.slice(0, -1).map((from, index) => ({
    from,
    to: edges[index + 1] ?? from + width,
    reference: before[index] ?? 0,
    tonight: now[index] ?? 0,
  }))
}

/** Share of the rows that are null. */
export function nullShare({ nulls, rows }: Pick<ColumnProfile, 'nulls' | 'rows'>): number {
  return rows === 0 ? 0 : nulls / rows
}

function rangeOf(profiles: NumberProfile[]): { low: number; high: number } | undefined {
  const lows = profiles.flatMap(({ min, quantiles }) => (min === null ? [] : [near(min, quantiles, 'low')]))
  const highs = profiles.flatMap(({ max, quantiles }) => (max === null ? [] : [near(max, quantiles, 'high')]))
  return lows.length === 0 ? undefined : { low: Math.min(...lows), high: Math.max(...highs) }
}

/** The extreme value, or the percentile beside it where the extreme lies further out than a third of the rest. */
function near(extreme: number, quantiles: number[] | null, side: 'low' | 'high'): number {
  const [first = extreme, last = extreme] = [quantiles?.[0], quantiles?.at(-1)]
  const percentile = side === 'low' ? first : last
  return Math.abs(extreme - percentile) > (last - first) / 3 ? percentile : extreme
}

/** The next of 1, 2, 2.5 and 5 times a power of ten that needs no more bins than there are. */
function roundWidth({ low, high }: { low: number; high: number }, whole: boolean): number {
  const least = (high - low) / (BINS - 1)
  if (!(least > 0)) return whole ? 1 : Math.max(Math.abs(low) / 10, 1e-9)
  const power = 10 ** Math.floor(Math.log10(least))
  const width = [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= least) ?? least
  return whole ? Math.max(1, Math.ceil(width)) : width
}

function spread(profile: NumberProfile, edges: number[], whole: boolean): number[] {
  const shares = new Array<number>(edges.length - 1).fill(0)
  const { counts, rows } = profile
  if (rows === 0 || profile.min === null || profile.max === null) return shares
  const bounds = boundsOf(profile, whole)
  counts.forEach((count, index) => {
    const [from, to] = bounds[index] ?? [0, 0]
    if (count > 0) addEvenly(shares, edges, from, to, count / rows)
  })
  return shares
}

/** Where the values of each count lie: between its edges, and no further than the smallest and the largest value. */
function boundsOf({ edges, counts, min, max }: NumberProfile, whole: boolean): [from: number, to: number][] {
  const low = min ?? 0
  const high = whole ? (max ?? 0) + 1 : (max ?? 0)
  return counts.map((_, index) => {
    const from = Math.max(edges[index - 1] ?? low, low)
    return [from, Math.max(from, Math.min(edges[index] ?? high, high))]
  })
}

function addEvenly(shares: number[], edges: number[], from: number, to: number, share: number): void {
  const last = shares.length - 1
  const [start = 0, next = 1] = edges
  const width = next - start
  const binOf = (value: number) => Math.min(last, Math.max(0, Math.floor((value - start) / width)))
  if (!(to > from)) {
    shares[binOf(from)] = (shares[binOf(from)] ?? 0) + share
    return
  }
  for (let bin = binOf(from); bin <= binOf(to); bin += 1) {
    const begin = bin === 0 ? Number.NEGATIVE_INFINITY : (edges[bin] ?? 0)
    const end = bin === last ? Number.POSITIVE_INFINITY : (edges[bin + 1] ?? 0)
    const part = (Math.min(to, end) - Math.max(from, begin)) / (to - from)
    if (part > 0) shares[bin] = (shares[bin] ?? 0) + share * part
  }
}
