import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ScoreColumn } from '../../project/project.ts'
import type { Metric } from '../../project/schema/metric.ts'
import { openEngine } from '../engine/duckdb.ts'
import { identifier } from '../engine/quote.ts'
import { openScoreTable } from '../scoring/score-table.ts'
import { thresholdOf } from '../scoring/score-threshold.ts'
import type { Interval } from './bootstrap.ts'
import { type Curves, curvesOf } from './curves.ts'
import {
  type EvaluatedVersion,
  type Holdout,
  type HoldoutFile,
  openHoldout,
  refuseNoRows,
  scoreHoldout,
  scoresOf,
} from './holdout.ts'
import { LABELLED_MEMORY, MOST_IN_MEMORY, openLabelled } from './labelled-table.ts'
import { groupRows, type Measured, measure } from './measure.ts'
import { measureTable } from './measure-table.ts'
import { type CalibrationBin, type Confusion, confusion, type Metrics, type Sample } from './metrics.ts'

export interface EvaluationRequest extends HoldoutFile {
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
  /** Rows that are measured in memory; of more, intervals are those of a sample. Default: MOST_IN_MEMORY. */
  most?: number | undefined
}

export interface EvaluationFacts extends Measured {
  kind: 'classification' | 'regression'
  entities: number
  resamples: number
  calibration: CalibrationBin[]
  confusion: Confusion | null
  /** What pictures are drawn from; null where scores are not finite. */
  curves: { version: Curves | null; champion: Curves | null }
  /** `champion`: its figures of the same rows, null without one. */
  by_as_of: (Measured & { as_of: string; champion: Metrics | null })[]
  by_segment: (Measured & { segment: string; value: string; champion: Metrics | null })[]
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
 * and true) are classes, others are numbers. Memory stays the same from `most` rows on. Throws Failures: `model` as scoring
 * does, `contract` where the rows do not fit.
 */
export async function evaluate(request: EvaluationRequest): Promise<EvaluationFacts> {
  const holdout = await openHoldout(request)
  try {
    const { row_count } = await holdout.engine.row(
      `SELECT count(*)::DOUBLE AS row_count FROM ${holdout.from}`,
    )
    refuseNoRows(Number(row_count), request)
    if (Number(row_count) > (request.most ?? MOST_IN_MEMORY)) return await evaluateLarge(holdout, request)
    const rows = await readRows(holdout, request)
    const scores = await scoresOf(holdout, request.version, request.threads)
    const champion =
      request.champion === undefined ? undefined : await scoresOf(holdout, request.champion, request.threads)
    return measured(request, rows, scores, champion)
  } finally {
    holdout.close()
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

/** As partitions are called: training sets have a DATE, or of hourly ones a TIMESTAMP, the instant in UTC. */
const AS_OF = `CASE typeof(as_of) WHEN 'DATE' THEN as_of::VARCHAR ELSE strftime(as_of, '%Y-%m-%dT%HZ') END`

/** Rows by value. */
type Groups = Map<string, number[]>

async function readRows({ engine, from }: Holdout, request: EvaluationRequest): Promise<Rows> {
  const entity = request.entity.map(identifier).join(', ')
  const extra = request.segments.map((name, index) => `${identifier(name)}::VARCHAR AS s${index}`)
  const reader = await engine.connection.runAndReadAll(
    `SELECT ${identifier(request.label)}::DOUBLE AS label, dense_rank() OVER (ORDER BY ${entity})::UINTEGER AS entity,
            ${AS_OF} AS as_of${extra.map((text) => `, ${text}`).join('')}
       FROM (SELECT *, row_number() OVER () AS n FROM ${from}) ORDER BY n`,
  )
  const columns = reader.getColumnsJS()
  const labels = Float64Array.from(columns[0] ?? [], Number)
  const entities = Uint32Array.from(columns[1] ?? [], (value) => Number(value) - 1)
  return {
    labels,
    entities,
    entityCount: entities.reduce((max, each) => Math.max(max, each + 1), 0),
    asOfs: groupRows(columns[2] ?? []),
    segments: Object.fromEntries(
      request.segments.map((name, index) => [name, groupRows(columns[3 + index] ?? [])]),
    ),
  }
}

function measured(
  request: EvaluationRequest,
  { labels, entities, entityCount, asOfs, segments }: Rows,
  scores: Float64Array,
  champion: Float64Array | undefined,
): EvaluationFacts {
  const sample = { scores, labels }
  const { parts, rival, realized, predicted, ...facts } = measure({
    sample,
    entities,
    entityCount,
    parts: [
      ...[...asOfs].map(([as_of, rows]) => ({ key: { as_of, segment: '', value: '' }, rows })),
      ...Object.entries(segments).flatMap(([segment, groups]) =>
        [...groups].map(([value, rows]) => ({ key: { as_of: '', segment, value }, rows })),
      ),
    ],
    rival: champion,
    k: request.k,
    seed: request.seed,
    resamples: request.resamples,
  })
  return {
    ...facts,
    entities: entityCount,
    confusion: facts.kind === 'classification' ? decided(request, sample) : null,
    curves: {
      version: curvesOf(facts.kind, sample),
      champion: champion === undefined ? null : curvesOf(facts.kind, { scores: champion, labels }),
    },
    by_as_of: parts
      .filter(({ key }) => key.segment === '')
      .map(({ key, rival: champion, ...part }) => ({ as_of: key.as_of, ...part, champion })),
    by_segment: parts
      .filter(({ key }) => key.segment !== '')
      .map(({ key, rival: champion, ...part }) => ({
        segment: key.segment,
        value: key.value,
        ...part,
        champion,
      })),
    against_champion:
      request.champion === undefined || rival === null
        ? null
        : { version: request.champion.version, ...rival },
  }
}

/** Scores and labels go into a file, which an engine of its own sorts within its share of memory. */
async function evaluateLarge(holdout: Holdout, request: EvaluationRequest): Promise<EvaluationFacts> {
  await mkdir(request.temp, { recursive: true })
  const folder = await mkdtemp(join(await realpath(request.temp), 'labelled-'))
  const engine = await openEngine({
    readable: [await realpath(request.holdout)],
    writable: [folder],
    temp: join(folder, 'spill'),
    threads: request.threads,
    memoryLimit: LABELLED_MEMORY,
    timezone: 'UTC',
    ordered: true,
  })
  try {
    const scored = async (version: EvaluatedVersion, name: string) => {
      const table = await openScoreTable(await engine.connect(), 0, name)
      await scoreHoldout(holdout, version, request.threads, (batch) => table.append(batch))
      table.close()
    }
    await scored(request.version, 'own_scores')
    if (request.champion !== undefined) await scored(request.champion, 'rival_scores')
    const entity = request.entity.map(identifier).join(', ')
    const texts = [AS_OF, ...request.segments.map((name) => `${identifier(name)}::VARCHAR`)]
    const parts = texts.map((text, index) => `, ${text} AS part_${index}`).join('')
    const rival =
      request.champion === undefined ? '' : ' POSITIONAL JOIN (SELECT score AS rival FROM rival_scores)'
    const table = await openLabelled(engine, {
      select: `SELECT * FROM (SELECT ${identifier(request.label)}::DOUBLE AS label, hash(${entity}) AS entity${parts} FROM ${holdout.from})
                 POSITIONAL JOIN (SELECT score FROM own_scores)${rival}`,
      hasRival: request.champion !== undefined,
      partings: texts.length,
      folder,
    })
    const compared = thresholdOf(request.score, request.version.mapping.output)
    const {
      parts: found,
      rival: against,
      realized,
      predicted,
      confusion,
      curves,
      ...facts
    } = await measureTable(table, {
      ...request,
      threshold: request.score.threshold === undefined ? undefined : compared,
    })
    return {
      ...facts,
      entities: table.entities,
      confusion: confusion && { ...confusion, threshold: request.score.threshold ?? confusion.threshold },
      curves: { version: curves.own, champion: curves.rival },
      by_as_of: found
        .filter(({ key }) => key.parting === 0)
        .map(({ key, rival: champion, ...part }) => ({ as_of: key.value, ...part, champion })),
      by_segment: found
        .filter(({ key }) => key.parting > 0)
        .map(({ key, rival: champion, ...part }) => ({
          segment: request.segments[key.parting - 1] ?? '',
          value: key.value,
          ...part,
          champion,
        })),
      against_champion:
        request.champion === undefined || against === null
          ? null
          : { version: request.champion.version, ...against },
    }
  } finally {
    engine.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Counts as the nights decide; the threshold is reported as written in model.yaml. */
function decided({ score, version }: EvaluationRequest, sample: Sample): Confusion | null {
  const compared = thresholdOf(score, version.mapping.output)
  if (compared === undefined || score.threshold === undefined) return null
  return { ...confusion(sample, compared), threshold: score.threshold }
}
