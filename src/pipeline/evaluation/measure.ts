import { CLASSIFICATION, type Metric, REGRESSION } from '../../project/schema/metric.ts'
import { draw, type Interval, intervals, middle, openRandom, weigh } from './bootstrap.ts'
import { fewText, isFew, wilson } from './few.ts'
import { logOf } from './metric-sums.ts'
import {
  type CalibrationBin,
  calibration,
  classify,
  type Metrics,
  orderOf,
  regress,
  type Sample,
} from './metrics.ts'

export interface Measured {
  rows: number
  positives: number | null
  metrics: Metrics
  intervals: Partial<Record<Metric, Interval>>
}

export interface MeasureRequest<Key> {
  sample: Sample
  /** Dense numbers of the entities, row by row, and how many there are. */
  entities: Uint32Array
  entityCount: number
  /** Rows that are measured apart. */
  parts: { key: Key; rows: number[] }[]
  /** Scores of the same rows to be compared with. */
  rival: Float64Array | undefined
  /** A number of rows, or below 1 a share of them. */
  k: number
  seed: number
  /** Default: 1,000 for small samples, 200 from 100,000 rows on. */
  resamples?: number | undefined
}

export interface MeasureFacts<Key> extends Measured {
  kind: 'classification' | 'regression'
  resamples: number
  calibration: CalibrationBin[]
  /** `rival`: its figures of the same rows. */
  parts: (Measured & { key: Key; rival: Metrics | null })[]
  /** The mean label; null without rows. A rate of few entities has the interval of Wilson, a mean of few has none. */
  realized: ({ value: number } & Interval) | null
  /** The mean score; null without rows. */
  predicted: number | null
  /** The difference is this sample's figure minus the rival's, on the same rows. */
  rival: { metrics: Metrics; difference: Partial<Record<Metric, { value: number | null } & Interval>> } | null
  notes: string[]
}

/**
 * Rows from the highest score down, copied in that order: each of hundreds of resamples then reads memory from front
 * to back instead of jumping through it.
 */
interface Sorted extends Sample {
  entities: Uint32Array
  order: Uint32Array
  /** Of the resample at hand. */
  weights: Uint32Array
}

function sorted({ scores, labels }: Sample, entities: Uint32Array, rows?: Uint32Array): Sorted {
  const order = orderOf(scores, rows)
  const inOrder = Float64Array.from(order, (row) => scores[row] ?? Number.NaN)
  return {
    scores: inOrder,
    logs: {
      hit: inOrder.map((score) => logOf(score, true)),
      miss: inOrder.map((score) => logOf(score, false)),
    },
    labels: Float64Array.from(order, (row) => labels[row] ?? Number.NaN),
    entities: Uint32Array.from(order, (row) => entities[row] ?? 0),
    order: Uint32Array.from(order, (_, index) => index),
    weights: new Uint32Array(order.length),
  }
}

/**
 * Measures scores against labels, whole and by parts, with intervals from resamples of entities where there are
 * enough of them (`isFew`). Labels of two values 0 and 1 are classes, others are numbers. Linear in rows x resamples.
 */
export function measure<Key>(request: MeasureRequest<Key>): MeasureFacts<Key> {
  const { sample, entities, entityCount } = request
  const { labels, scores } = sample
  const kind = labels.every((label) => label === 0 || label === 1) ? 'classification' : 'regression'
  const names = kind === 'classification' ? CLASSIFICATION : REGRESSION
  const figures = (given: Sorted, weights?: Uint32Array): Metrics =>
    kind === 'classification'
      ? classify(given, given.order, request.k, weights)
      : regress(given, given.order, weights)
  const whole = sorted(sample, entities)
  const rival = request.rival === undefined ? undefined : sorted({ scores: request.rival, labels }, entities)
  const parts = request.parts.map((part) => {
    const rows = Uint32Array.from(part.rows)
    const beside = request.rival === undefined ? undefined : { scores: request.rival, labels }
    return {
      ...part,
      sample: sorted(sample, entities, rows),
      rival: beside === undefined ? null : figures(sorted(beside, entities, rows)),
    }
  })

  const resamples = request.resamples ?? (labels.length >= 100_000 ? 200 : 1_000)
  const random = openRandom(request.seed)
  const drawn = {
    whole: [] as Metrics[],
    rival: [] as Metrics[],
    parts: parts.map(() => [] as Metrics[]),
    means: [] as number[],
  }
  for (let times = 0; times < resamples; times++) {
    const counts = draw(entityCount, random)
    const weighed = (given: Sorted) => figures(given, weigh(given.entities, counts, given.weights))
    drawn.whole.push(weighed(whole))
    drawn.means.push(weightedMean(whole.labels, whole.weights))
    if (rival !== undefined) drawn.rival.push(weighed(rival))
    for (const [index, part] of parts.entries()) drawn.parts[index]?.push(weighed(part.sample))
  }

  const metrics = figures(whole)
  const rivalMetrics = rival === undefined ? undefined : figures(rival)
  const few = isFew(kind, whole)
  // Without resamples there is no interval.
  const resampled = { ...drawn, whole: few ? [] : drawn.whole }
  return {
    kind,
    rows: labels.length,
    positives: kind === 'classification' ? labels.reduce((sum, label) => sum + label, 0) : null,
    metrics,
    intervals: intervals(resampled.whole, names),
    resamples,
    calibration: kind === 'classification' ? calibration(sample) : [],
    parts: parts.map(({ key, rows, sample: own, rival }, index) => ({
      key,
      rival,
      rows: rows.length,
      positives: kind === 'classification' ? rows.filter((row) => labels[row] === 1).length : null,
      metrics: figures(own),
      intervals: intervals(isFew(kind, own) ? [] : (drawn.parts[index] ?? []), names),
    })),
    realized: few ? realizedOfFew(kind, labels, entityCount) : realizedOf(labels, drawn.means),
    predicted: scores.length === 0 ? null : weightedMean(scores),
    rival:
      rivalMetrics === undefined
        ? null
        : { metrics: rivalMetrics, difference: differences(names, metrics, rivalMetrics, resampled) },
    notes: [...notesOf(noted(kind, sample)), ...(few && labels.length > 0 ? [fewText(kind)] : [])],
  }
}

function weightedMean(values: Float64Array, weights?: Uint32Array): number {
  let [sum, total] = [0, 0]
  for (let row = 0; row < values.length; row++) {
    const weight = weights?.[row] ?? 1
    sum += weight * (values[row] ?? 0)
    total += weight
  }
  return sum / total
}

function realizedOf(labels: Float64Array, means: number[]): MeasureFacts<never>['realized'] {
  if (labels.length === 0) return null
  return { value: weightedMean(labels), ...middle(means.filter(Number.isFinite)) }
}

/** Counts entities, not rows: the nights of one customer are not independent. */
function realizedOfFew(
  kind: 'classification' | 'regression',
  labels: Float64Array,
  entities: number,
): MeasureFacts<never>['realized'] {
  if (labels.length === 0) return null
  const value = weightedMean(labels)
  return { value, ...(kind === 'regression' ? { low: null, high: null } : wilson(value, entities)) }
}

function differences(
  names: readonly Metric[],
  own: Metrics,
  rival: Metrics,
  drawn: { whole: Metrics[]; rival: Metrics[] },
): Partial<Record<Metric, { value: number | null } & Interval>> {
  const between = (a: Metrics | undefined, b: Metrics | undefined): Metrics =>
    Object.fromEntries(
      names.map((name) => {
        const [x, y] = [a?.[name], b?.[name]]
        return [name, typeof x === 'number' && typeof y === 'number' ? x - y : null]
      }),
    )
  const paired = intervals(
    drawn.whole.map((each, index) => between(each, drawn.rival[index])),
    names,
  )
  const values = between(own, rival)
  return Object.fromEntries(
    names.map((name) => [
      name,
      { value: values[name] ?? null, ...(paired[name] ?? { low: null, high: null }) },
    ]),
  )
}

/** What a sample is noted for. */
export interface Noted {
  kind: 'classification' | 'regression'
  rows: number
  positives: number
  /** Scores beyond 0 and 1, and those that are no finite numbers. */
  beyond: number
  broken: number
}

function noted(kind: Noted['kind'], { scores, labels }: Sample): Noted {
  const count = (values: Float64Array, counts: (value: number) => boolean) =>
    values.reduce((sum, value) => sum + (counts(value) ? 1 : 0), 0)
  return {
    kind,
    rows: labels.length,
    positives: count(labels, (label) => label === 1),
    beyond: count(scores, (score) => score < 0 || score > 1),
    broken: count(scores, (score) => !Number.isFinite(score)),
  }
}

export function notesOf({ kind, rows, positives, beyond, broken }: Noted): string[] {
  const notes: string[] = []
  if (kind === 'classification' && rows > 0 && (positives === 0 || positives === rows)) {
    notes.push(`all labels are ${positives === 0 ? 0 : 1}: AUC and lift need both classes`)
  }
  if (kind === 'classification' && beyond > 0) {
    notes.push(
      'scores are outside 0 to 1, but log loss, Brier score and calibration error need probabilities',
    )
  }
  if (broken > 0) notes.push(`${broken} scores are not finite numbers: no figure is reliable`)
  return notes
}

/** Rows by the text of a value, in the order of the values; `null` is one of them. */
export function groupRows(values: readonly unknown[]): Map<string, number[]> {
  const found = new Map<string, number[]>()
  for (const [row, value] of values.entries()) {
    const key = value === null || value === undefined ? 'null' : String(value)
    const own = found.get(key)
    if (own === undefined) found.set(key, [row])
    else own.push(row)
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}
