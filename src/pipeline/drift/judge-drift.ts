import { quantile } from '../evaluation/bootstrap.ts'
import type { ColumnProfile, Profile } from '../profile/profile.ts'
import { SAMPLED_ROWS } from '../profile/sampled-rows.ts'
import { discoveries } from './benjamini-hochberg.ts'
import { type Bins, binsOf } from './bins.ts'
import type { Drift, DriftStatistic } from './drift.ts'
import { distanceOfPsi, jensenShannon } from './jensen-shannon.ts'
import { ksOfProfiles } from './kolmogorov-smirnov.ts'
import { lInfinity } from './l-infinity.ts'
import { psi, total } from './psi.ts'
import { leastRateDistance, rateDistance } from './rates.ts'
import { resampleNights } from './resample.ts'
import { wassersteinOfProfiles } from './wasserstein.ts'

export interface JudgeRequest {
  /** Counted on the same edges and values as `tonight`. */
  reference: Profile
  /** The reference's own as-ofs or nights, which add up to it; empty where it has but one. */
  parts: Profile[]
  tonight: Profile
  /** Undefined: all columns of the reference. */
  columns: string[] | undefined
  /** Whether the score is judged too. */
  score: boolean
  /** As a PSI. */
  minEffect: number
  seed: number
}

/** Fewer rows on either side say nothing about a distribution. */
export const LEAST_ROWS = 50
/** Share of nights without drift in which the resampled threshold alone would fire: for the distribution, for each rate. */
const ALARMS = { distribution: 0.005, rate: 0.0025 }
/** Of Benjamini and Hochberg over the columns of a night. */
const DISCOVERY_RATE = 0.05
const LEAST_RESAMPLES = 2000

/**
 * So many that the smallest p, 1 / (resamples + 1), is half of what one column alone needs to be a discovery among
 * `columns`: 2,000 up to 50 columns, 4,000 for 100.
 */
export function resamplesFor(columns: number): number {
  return Math.max(LEAST_RESAMPLES, Math.ceil((2 * columns) / DISCOVERY_RATE))
}

/**
 * How far each column of a night is from its reference, and whether that is drift. See docs/drift.md. The same call
 * gives the same answer: the resamples depend on `seed` and the column's place alone.
 */
export function judgeDrift(request: JudgeRequest): Drift[] {
  const { reference, tonight, columns, score } = request
  const watched = reference.columns.filter((column) =>
    column.score ? score : (columns?.includes(column.column) ?? true),
  )
  const resamples = resamplesFor(watched.length)
  const judged = watched.map((before, place) => {
    const now = tonight.columns.find((each) => each.column === before.column && each.score === before.score)
    if (now === undefined) return gone(before, tonight)
    return judgeColumn(request, before, now, resamples, request.seed + place * 7919)
  })
  const tested = judged.filter(({ p }) => p !== null)
  const found = discoveries(
    tested.map(({ p }) => p ?? 1),
    DISCOVERY_RATE,
  )
  for (const [index, drift] of tested.entries()) {
    if (found[index] === true) continue
    drift.fired = drift.fired.filter((test) => test !== 'distribution')
    drift.drifted = drift.fired.length > 0
  }
  const unknown = (columns ?? []).filter(
    (name) => !reference.columns.some(({ column, score }) => column === name && !score),
  )
  return [...judged, ...unknown.flatMap((name) => withoutReference(name, request))]
}

function judgeColumn(
  { reference, parts, tonight, minEffect }: JudgeRequest,
  before: ColumnProfile,
  now: ColumnProfile,
  resamples: number,
  seed: number,
): Drift {
  const bins = binsOf(before)
  const [counts, own] = [bins.of(before), bins.of(now)]
  const drift = described(before, now)
  if (counts === null || own === null) {
    const note = `was ${before.type} and is ${now.type}: they cannot be compared`
    if (before.kind !== now.kind) return { ...drift, drifted: true, fired: ['distribution'], note }
    return { ...drift, note: 'counted on other edges or values than the reference: they cannot be compared' }
  }
  drift.psi = finite(psi(counts, own))
  drift.jensen_shannon = finite(jensenShannon(counts, own))
  const rows = { reference: Math.min(reference.entities, before.rows), tonight: tonight.rows }
  const few = Object.entries(rows).find(([, count]) => count < LEAST_ROWS)
  if (few !== undefined) return { ...drift, note: tooFew(few, now) }

  const statistic = drift.statistic === 'psi' ? psi : jensenShannon
  const value = statistic(counts, own)
  const ofParts = parts.flatMap((part) => {
    const column = part.columns.find((each) => each.column === before.column && each.score === before.score)
    return (column && bins.of(column)) ?? []
  })
  const drawn = {
    statistic: new Float64Array(resamples),
    nulls: new Float64Array(resamples),
    unseen: new Float64Array(resamples),
  }
  let pair = 0
  const isSampled = before.kind === 'number'
  resampleNights({
    reference: counts,
    parts: ofParts.filter((part) => total(part) > 0),
    referenceRows: isSampled ? Math.min(rows.reference, SAMPLED_ROWS) : rows.reference,
    rows: isSampled ? Math.min(rows.tonight, SAMPLED_ROWS) : rows.tonight,
    resamples,
    seed,
    onPair(a, b) {
      drawn.statistic[pair] = statistic(a, b)
      drawn.nulls[pair] = distanceAt(bins.nulls, a, b)
      if (bins.unseen !== null) drawn.unseen[pair] = distanceAt(bins.unseen, a, b)
      pair++
    },
  })
  const between = betweenParts(ofParts, (rest, part) => statistic(rest, part))
  const { threshold, from } = largest([
    { from: 'min_effect', threshold: before.kind === 'number' ? minEffect : distanceOfPsi(minEffect) },
    { from: 'as-ofs', threshold: between },
    { from: 'resampling', threshold: upper(drawn.statistic, ALARMS.distribution) },
  ])
  drift.threshold = threshold
  drift.threshold_from = from
  drift.p = (1 + drawn.statistic.filter((each) => each >= value).length) / (resamples + 1)
  if (value > threshold) drift.fired.push('distribution')
  const least = leastRateDistance(minEffect)
  const rate = (bin: number, chance: Float64Array) =>
    distanceAt(bin, counts, own) >
    Math.max(
      least,
      betweenParts(ofParts, (rest, part) => distanceAt(bin, rest, part)) ?? 0,
      upper(chance, ALARMS.rate),
    )
  if (rate(bins.nulls, drawn.nulls)) drift.fired.push('nulls')
  if (bins.unseen !== null && isMore(bins.unseen, counts, own) && rate(bins.unseen, drawn.unseen))
    drift.fired.push('unseen')
  drift.drifted = drift.fired.length > 0
  drift.note = noteOf(before, now, bins, counts, own, drift)
  return drift
}

function described(before: ColumnProfile, now: ColumnProfile): Drift {
  const numbers = before.kind === 'number' && now.kind === 'number' ? { before, now } : undefined
  const statistic: DriftStatistic = before.kind === 'number' ? 'psi' : 'jensen_shannon'
  const area = numbers === undefined ? null : wassersteinOfProfiles(numbers.before, numbers.now)
  const sd = numbers?.before.sd ?? 0
  return {
    column: before.column,
    score: before.score,
    rows: now.rows,
    psi: null,
    jensen_shannon: null,
    wasserstein: area === null ? null : area === 0 ? 0 : sd === 0 ? null : finite(area / sd),
    ks: numbers === undefined ? null : ksOfProfiles(numbers.before, numbers.now),
    null_rate: rateOf(now.nulls, now.rows),
    unseen_rate: now.kind === 'category' ? rateOf(now.unseen, now.rows) : null,
    reference: {
      rows: before.rows,
      null_rate: rateOf(before.nulls, before.rows),
      mean: before.kind === 'number' ? before.mean : null,
    },
    mean: now.kind === 'number' ? now.mean : null,
    statistic,
    threshold: null,
    threshold_from: null,
    p: null,
    drifted: false,
    fired: [],
    note: null,
  }
}

function tooFew([side, rows]: [string, number], now: ColumnProfile): string {
  const where = side === 'reference' ? 'the reference has' : 'there are'
  const what = rows === 0 ? 'no rows' : `not enough rows: ${where} ${rows}, at least ${LEAST_ROWS} are needed`
  return now.rows > 0 && now.nulls === now.rows ? `all null; ${what}` : what
}

function noteOf(
  before: ColumnProfile,
  now: ColumnProfile,
  bins: Bins,
  counts: Float64Array,
  own: Float64Array,
  { drifted }: Drift,
): string | null {
  const wasEmpty = before.nulls === before.rows
  if (now.nulls === now.rows) return wasEmpty ? 'all null, as in the reference' : 'all null'
  if (wasEmpty) return 'the reference is all null'
  if (now.kind === 'number' && now.infinite > 0) return `${now.infinite} values are infinite or NaN`
  if (drifted && now.kind === 'category' && now.unseen > 0) {
    const values = now.unseen_values.map(({ value, count }) => `${value} (${count})`).join(', ')
    if (now.unseen > total(own) * 0.01) return `values that the reference does not have: ${values}`
  }
  if (drifted && now.kind === 'category') {
    const { bin } = lInfinity([...counts], [...own])
    return `${bins.name(bin)} went from ${percent(bin, counts)} to ${percent(bin, own)}`
  }
  if (now.kind === 'category' && before.kind === 'category' && before.other + before.unseen > before.rows / 2)
    return `too many values (${now.distinct}) to compare them one by one`
  if (now.kind === 'number' && now.min === now.max) return `constant: ${now.min}`
  return null
}

function gone(before: ColumnProfile, tonight: Profile): Drift {
  const why =
    tonight.left_out.find(({ column }) => column === before.column)?.why ?? 'there is no such column'
  const empty: ColumnProfile = { ...before, rows: tonight.rows, nulls: tonight.rows }
  return {
    ...described(before, empty),
    wasserstein: null,
    ks: null,
    mean: null,
    unseen_rate: null,
    drifted: true,
    fired: ['nulls'],
    note: why,
  }
}

function withoutReference(name: string, { reference, tonight }: JudgeRequest): Drift[] {
  const now = tonight.columns.find(({ column, score }) => column === name && !score)
  if (now === undefined) return []
  const why = reference.left_out.find(({ column }) => column === name)?.why
  const note = `the reference has no such column${why === undefined ? '' : ` (${why})`}`
  return [
    {
      ...described(now, now),
      wasserstein: null,
      ks: null,
      note,
      reference: { rows: 0, null_rate: 0, mean: null },
    },
  ]
}

/**
 * The 99th percentile of a figure between each part and the other parts together, undefined where there are not two.
 */
function betweenParts(
  parts: Float64Array[],
  figure: (rest: Float64Array, part: Float64Array) => number,
): number | undefined {
  const filled = parts.filter((part) => total(part) > 0)
  const [first] = filled
  if (first === undefined || filled.length < 2) return undefined
  const all = first.map((_, bin) => filled.reduce((sum, part) => sum + (part[bin] ?? 0), 0))
  const values = filled.map((part) =>
    figure(
      all.map((count, bin) => count - (part[bin] ?? 0)),
      part,
    ),
  )
  return quantile(
    values.sort((a, b) => a - b),
    0.99,
  )
}

type ThresholdFrom = 'resampling' | 'as-ofs' | 'min_effect'

function largest(candidates: { from: ThresholdFrom; threshold: number | undefined }[]): {
  from: ThresholdFrom
  threshold: number
} {
  let best: { from: ThresholdFrom; threshold: number } = { from: 'min_effect', threshold: 0 }
  for (const { from, threshold } of candidates)
    if (threshold !== undefined && threshold > best.threshold) best = { from, threshold }
  return best
}

function upper(values: Float64Array, alarms: number): number {
  return quantile(values.sort(), 1 - alarms)
}

function distanceAt(bin: number, a: Float64Array, b: Float64Array): number {
  return rateDistance((a[bin] ?? 0) / total(a), (b[bin] ?? 0) / total(b))
}

function isMore(bin: number, a: Float64Array, b: Float64Array): boolean {
  return (b[bin] ?? 0) / total(b) > (a[bin] ?? 0) / total(a)
}

function rateOf(count: number, rows: number): number {
  return rows === 0 ? 0 : count / rows
}

function percent(bin: number, counts: Float64Array): string {
  return `${((100 * (counts[bin] ?? 0)) / total(counts)).toFixed(1)} %`
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
