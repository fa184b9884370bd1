import type { Metric } from '../../project/schema/metric.ts'
import type { Metrics } from './metrics.ts'

/**
 * A 95 % interval. Null where there are too few entities, where fewer than half of the resamples have the figure, or where
 * all of them have the same: that says nothing of how far it may be off.
 */
export interface Interval {
  low: number | null
  high: number | null
}

/**
 * How often each entity is drawn in one resample, with replacement: all rows of an entity come or stay away together,
 * since the nights of one customer are no independent rows (Davison and Hinkley 1997, the cluster bootstrap).
 */
export function resample(entities: Uint32Array, count: number, random: () => number): Uint32Array {
  return weigh(entities, draw(count, random))
}

/** How often each of so many entities is drawn. */
export function draw(count: number, random: () => number): Uint32Array {
  const drawn = new Uint32Array(count)
  for (let times = 0; times < count; times++) {
    const entity = Math.floor(random() * count)
    drawn[entity] = (drawn[entity] ?? 0) + 1
  }
  return drawn
}

/** How often each row counts: as often as its entity was drawn. Into `out` where it is given, of the rows' length. */
export function weigh(
  entities: Uint32Array,
  drawn: Uint32Array,
  out: Uint32Array = new Uint32Array(entities.length),
): Uint32Array {
  for (let row = 0; row < entities.length; row++) out[row] = drawn[entities[row] ?? 0] ?? 0
  return out
}

/** The 2.5th and 97.5th percentile of each figure over the resamples. */
export function intervals(
  resamples: Metrics[],
  metrics: readonly Metric[],
): Partial<Record<Metric, Interval>> {
  return Object.fromEntries(
    metrics.map((metric) => {
      const values = resamples.map((each) => each[metric]).filter((value) => typeof value === 'number')
      if (values.length * 2 < resamples.length || values.length === 0)
        return [metric, { low: null, high: null }]
      return [metric, middle(values)]
    }),
  )
}

/** The 2.5th and 97.5th percentile, none where they are one; sorts the values. */
export function middle(values: number[]): Interval {
  values.sort((a, b) => a - b)
  const [low, high] = [quantile(values, 0.025), quantile(values, 0.975)]
  return low === high ? { low: null, high: null } : { low, high }
}

/** Of sorted values, by linear interpolation (type 7 of Hyndman and Fan 1996). */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  const at = (sorted.length - 1) * p
  const low = sorted[Math.floor(at)] ?? Number.NaN
  const high = sorted[Math.ceil(at)] ?? low
  return low + (high - low) * (at - Math.floor(at))
}

/** The same resamples every time: what is measured twice says the same. */
export const SEED = 20_261_122

/** sfc32 (Chris Doty-Humphrey, PractRand): numbers in [0, 1), the same for the same seed. */
export function openRandom(seed: number): () => number {
  let [a, b, c, counter] = [0, seed | 0, (seed ^ 0x9e3779b9) | 0, 1]
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
  for (let warm = 0; warm < 12; warm++) next()
  return next
}
