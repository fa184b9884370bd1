import { realpath } from 'node:fs/promises'
import type { ScoreColumn } from '../../project/project.ts'
import { type Engine, openEngine } from '../duckdb.ts'
import { examineFeatures } from '../examine.ts'
import { Failure } from '../failure.ts'
import { infer } from '../inference.ts'
import { openModel } from '../model-file.ts'
import type { MappingPlan } from '../onnx/mapping.ts'
import { identifier, literal } from '../quote.ts'
import { type Interval, intervals, openRandom, resample } from './bootstrap.ts'
import {
  type CalibrationBin,
  CLASSIFICATION,
  type Confusion,
  calibration,
  classify,
  confusion,
  type Metric,
  type Metrics,
  orderOf,
  REGRESSION,
  regress,
  type Sample,
} from './metrics.ts'

/** A registered file that is to score the holdout. */
export interface EvaluatedVersion {
  version: number
  /** Absolute path. */
  file: string
  sha256: string
  mapping: MappingPlan
}

export interface EvaluationRequest {
  /** Absolute path of the rows: entity, `as_of`, features, label. */
  holdout: string
  entity: string[]
  label: string
  segments: string[]
  version: EvaluatedVersion
  /** Scores the same rows, for the difference. */
  champion: EvaluatedVersion | undefined
  score: ScoreColumn
  /** A number of rows, or below 1 a share of them. */
  k: number
  seed: number
  /** Default: 1,000 for small samples, 200 from 100,000 rows on. */
  resamples?: number | undefined
  temp: string
  threads: number
}

export interface Measured {
  rows: number
  positives: number | null
  metrics: Metrics
  intervals: Partial<Record<Metric, Interval>>
}

export interface EvaluationFacts extends Measured {
  kind: 'classification' | 'regression'
  entities: number
  resamples: number
  calibration: CalibrationBin[]
  confusion: Confusion | null
  by_as_of: (Measured & { as_of: string })[]
  by_segment: (Measured & { segment: string; value: string })[]
  against_champion: {
    version: number
    metrics: Metrics
    /** This version's figure minus the champion's, on the same rows. */
    difference: Partial<Record<Metric, { value: number | null } & Interval>>
  } | null
  notes: string[]
}

/**
 * Scores a holdout and measures it, whole, by as-of and by segment, with intervals from resamples of entities; beside
 * the champion on the same rows with the interval of the paired difference. Labels of two values 0 and 1 (or false
 * and true) are classes, others are numbers. Throws Failures: `model` as scoring does, `contract` where the rows do
 * not fit.
 */
export async function evaluate(request: EvaluationRequest): Promise<EvaluationFacts> {
  const path = await realpath(request.holdout)
  const engine = await openEngine({
    readable: [path],
    writable: [],
    temp: request.temp,
    threads: request.threads,
    timezone: 'UTC',
    ordered: true,
  })
  try {
    const from = `read_parquet(${literal(path)}, hive_partitioning = false)`
    const rows = await readRows(engine, from, request)
    if (rows.labels.length === 0) {
      throw new Failure('contract', 'the holdout has no rows: build the training set with --holdout-from', {
        evidence: { holdout: request.holdout },
      })
    }
    const scores = await scoresOf(engine, from, request.version, request.threads)
    const champion =
      request.champion === undefined
        ? undefined
        : await scoresOf(engine, from, request.champion, request.threads)
    return measure(request, rows, scores, champion)
  } finally {
    engine.close()
  }
}

interface Rows {
  labels: Float64Array
  /** Dense numbers of the entities. */
  entities: Uint32Array
  entityCount: number
  asOfs: Groups
  segments: Record<string, Groups>
}

/** Rows by value. */
type Groups = Map<string, number[]>

async function readRows(engine: Engine, from: string, request: EvaluationRequest): Promise<Rows> {
  const entity = request.entity.map(identifier).join(', ')
  const extra = request.segments.map((name, index) => `${identifier(name)}::VARCHAR AS s${index}`)
  const reader = await engine.connection.runAndReadAll(
    `SELECT ${identifier(request.label)}::DOUBLE AS label, dense_rank() OVER (ORDER BY ${entity})::UINTEGER AS entity,
            as_of::VARCHAR AS as_of${extra.map((text) => `, ${text}`).join('')}
       FROM (SELECT *, row_number() OVER () AS n FROM ${from}) ORDER BY n`,
  )
  const columns = reader.getColumnsJS()
  const labels = Float64Array.from(columns[0] ?? [], Number)
  const entities = Uint32Array.from(columns[1] ?? [], (value) => Number(value) - 1)
  const groups = (values: unknown[] | undefined): Groups => {
    const found: Groups = new Map()
    for (const [row, value] of (values ?? []).entries()) {
      const key = value === null ? 'null' : String(value)
      const own = found.get(key)
      if (own === undefined) found.set(key, [row])
      else own.push(row)
    }
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  return {
    labels,
    entities,
    entityCount: entities.reduce((max, each) => Math.max(max, each + 1), 0),
    asOfs: groups(columns[2]),
    segments: Object.fromEntries(request.segments.map((name, index) => [name, groups(columns[3 + index])])),
  }
}

/** A version's scores of the rows of `from`, in their order. Throws Failures as scoring does. */
export async function scoresOf(
  engine: Engine,
  from: string,
  { file, sha256, mapping }: EvaluatedVersion,
  threads: number,
): Promise<Float64Array> {
  const count = await examineFeatures(engine.connection, from, mapping)
  const scores = new Float64Array(count)
  const scorers = await openModel({ model: file, sha256, mapping, threads })
  try {
    let done = 0
    await infer({
      connection: engine.connection,
      from,
      mapping,
      scorers,
      onScores(batch) {
        scores.set(batch, done)
        done += batch.length
      },
    })
    return scores
  } finally {
    await scorers.close()
  }
}

type Figures = (sample: Sample, order: Uint32Array, weights?: Uint32Array) => Metrics

function measure(
  request: EvaluationRequest,
  rows: Rows,
  scores: Float64Array,
  champion: Float64Array | undefined,
): EvaluationFacts {
  const { labels, entities, entityCount } = rows
  const kind = labels.every((label) => label === 0 || label === 1) ? 'classification' : 'regression'
  const names = kind === 'classification' ? CLASSIFICATION : REGRESSION
  const figures: Figures =
    kind === 'classification'
      ? (sample, order, weights) => classify(sample, order, request.k, weights)
      : regress
  const notes = notesOf(kind, scores, labels)
  const sample = { scores, labels }
  const rival = champion === undefined ? undefined : { scores: champion, labels }
  const parts = [
    ...[...rows.asOfs].map(([as_of, own]) => ({ key: { as_of }, own })),
    ...Object.entries(rows.segments).flatMap(([segment, groups]) =>
      [...groups].map(([value, own]) => ({ key: { segment, value }, own })),
    ),
  ].map((part) => ({ ...part, order: orderOf(scores, Uint32Array.from(part.own)) }))
  const whole = orderOf(scores)
  const rivalOrder = rival === undefined ? undefined : orderOf(rival.scores)

  const resamples = request.resamples ?? (labels.length >= 100_000 ? 200 : 1_000)
  const random = openRandom(request.seed)
  const drawn = { whole: [] as Metrics[], rival: [] as Metrics[], parts: parts.map(() => [] as Metrics[]) }
  for (let draw = 0; draw < resamples; draw++) {
    const weights = resample(entities, entityCount, random)
    drawn.whole.push(figures(sample, whole, weights))
    if (rival !== undefined && rivalOrder !== undefined) drawn.rival.push(figures(rival, rivalOrder, weights))
    for (const [index, part] of parts.entries()) {
      drawn.parts[index]?.push(figures(sample, part.order, weights))
    }
  }

  const metrics = figures(sample, whole)
  const measured = parts.map((part, index) => ({
    ...part.key,
    rows: part.own.length,
    positives: kind === 'classification' ? part.own.filter((row) => labels[row] === 1).length : null,
    metrics: figures(sample, part.order),
    intervals: intervals(drawn.parts[index] ?? [], names),
  }))
  const rivalMetrics =
    rival === undefined || rivalOrder === undefined ? undefined : figures(rival, rivalOrder)
  return {
    kind,
    rows: labels.length,
    entities: entityCount,
    positives: kind === 'classification' ? labels.reduce((sum, label) => sum + label, 0) : null,
    metrics,
    intervals: intervals(drawn.whole, names),
    resamples,
    calibration: kind === 'classification' ? calibration(sample) : [],
    confusion:
      kind === 'classification' && request.score.threshold !== undefined
        ? confusion(sample, request.score.threshold)
        : null,
    by_as_of: measured.filter((each) => 'as_of' in each),
    by_segment: measured.filter((each) => 'segment' in each),
    against_champion:
      request.champion === undefined || rivalMetrics === undefined
        ? null
        : {
            version: request.champion.version,
            metrics: rivalMetrics,
            difference: differences(names, metrics, rivalMetrics, drawn),
          },
    notes,
  }
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

function notesOf(kind: string, scores: Float64Array, labels: Float64Array): string[] {
  const notes: string[] = []
  if (kind === 'classification' && new Set(labels).size === 1) {
    notes.push(`all labels are ${labels[0]}: AUC and lift need both classes`)
  }
  if (kind === 'classification' && scores.some((score) => score < 0 || score > 1)) {
    notes.push('scores lie outside 0 to 1: log loss, Brier and calibration take them for probabilities')
  }
  const broken = scores.reduce((count, score) => count + (Number.isFinite(score) ? 0 : 1), 0)
  if (broken > 0) notes.push(`${broken} scores are no finite numbers: no figure can be trusted`)
  return notes
}
