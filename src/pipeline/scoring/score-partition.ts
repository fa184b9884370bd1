import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ScoreColumn, UnknownPolicy } from '../../project/project.ts'
import { reasonColumns } from '../../project/schema/score-columns.ts'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import { sessionBytes, sessionsWithin } from '../engine/engine-bounds.ts'
import type { Check, ScoreFacts, StepTime, UnknownValues, WrittenFile } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { double, identifier, literal, parquet } from '../engine/quote.ts'
import { stopwatch } from '../engine/stopwatch.ts'
import { examineFeatures } from '../features/examine-features.ts'
import type { MappingPlan } from '../onnx/mapping.ts'
import { readBack } from '../partition/read-back.ts'
import { planReasons } from '../reasons/plan-reasons.ts'
import { columnsOf } from '../reasons/reason-plan.ts'
import { type RowRange, rowsOf } from '../shards/row-ranges.ts'
import { countUnknown, vocabulariesOf } from './count-unknown.ts'
import { judgeUnknown, unknownText } from './judge-unknown.ts'
import { modelSize, openModel } from './model-file.ts'
import { type ScoredRows, scoreRows } from './score-rows.ts'
import { thresholdOf } from './score-threshold.ts'
import type { Scorers } from './scorers.ts'
import { suspicions, type Tally } from './tally.ts'

export interface ScoreRequest {
  /** Path of the version's ONNX file. */
  model: string
  /** Of that file, in hex: a file that is another one now is refused. */
  sha256?: string | undefined
  mapping: MappingPlan
  /** Path of the features' Parquet file, sorted by entity. */
  features: string
  entity: string[]
  score: ScoreColumn
  /** What follows from values that the model does not know, by column. */
  unknown?: Record<string, UnknownPolicy> | undefined
  version: number
  /** Path to write, in a folder that is there. */
  out: string
  /** Folder for what does not fit into memory. */
  temp: string
  /** Inference sessions, as far as memory has room for them, and threads of DuckDB. */
  threads: number
  /** Of DuckDB, as it writes it: `4GB`. Scores take 8 bytes a row. */
  memoryLimit?: string | undefined
  /** Rows of a batch; the scores are the same for any number. */
  batch?: number | undefined
  /** Key-value metadata of the file. */
  metadata: Record<string, string>
  progress?: (text: string, rows?: number, total?: number) => void
}

/** Rows that were scored into a file, and what is known of them. */
export interface ScoredFile {
  file: WrittenFile
  /** Feature rows. */
  rows: number
  tally: Tally
  checks: Check[]
  unknown: UnknownValues[]
  steps: StepTime[]
}

/**
 * Scores a partition of features and writes the scores, whole and read back, but not published. Columns: the entity
 * under the view's names and types, the score DOUBLE, `decision` BOOLEAN where there is a threshold (null where the
 * score is no number), `version` INTEGER, for each of `score.reasons` the column `reason_1` VARCHAR and its `effect_1`
 * DOUBLE (null where there is none); rows in the features' order. Checks that fail are facts for the caller.
 * Throws Failures: `model` where the file or its output is wrong, `contract` where the features do not fit it.
 */
export async function scorePartition(request: ScoreRequest): Promise<ScoreFacts> {
  return scoreFacts(request, await scoreFile(request))
}

/** What a partition's scores come to. */
export function scoreFacts(
  request: Pick<ScoreRequest, 'score' | 'unknown'>,
  { file, rows, tally, checks, unknown, steps }: ScoredFile,
): ScoreFacts {
  const judged = judgeUnknown(unknown, request.unknown ?? {})
  const { mean, min, max, positive } = tally
  return {
    file,
    checks: [...judged.checks, ...checks, oneEach(rows, file.rows, request.score.column)],
    unknown,
    warnings: [...judged.warnings, ...suspicions(tally)],
    steps,
    summary: { mean, min, max, positive },
  }
}

/** Scores the rows of a partition, or a range of them, into a file. Throws as `scorePartition` does. */
export async function scoreFile(request: ScoreRequest, range?: RowRange): Promise<ScoredFile> {
  refuseDoubles(request)
  const steps: StepTime[] = []
  const timed = stopwatch(steps)
  const features = await realpath(request.features)
  const from = range === undefined ? parquet(features) : rowsOf(features, range)
  const size = await modelSize(request.model)
  const sessions = sessionsWithin(size, request.threads)
  const engine = await openEngine({
    readable: [features],
    writable: [await realpath(dirname(request.out))],
    temp: request.temp,
    threads: request.threads,
    memoryLimit: request.memoryLimit,
    reserved: sessions * sessionBytes(size),
    timezone: 'UTC',
    ordered: true,
  })
  let scorers: Scorers | undefined
  try {
    const [opened, examined] = await timed('open', () =>
      Promise.allSettled([
        openModel({ ...request, threads: sessions }),
        examineFeatures(engine.connection, from, request.mapping),
      ]),
    )
    if (opened.status === 'fulfilled') scorers = opened.value
    if (opened.status === 'rejected') throw opened.reason
    if (examined.status === 'rejected') throw examined.reason
    const rows = examined.value
    const unknown = await timed('unknown values', async () =>
      countUnknown(
        engine.connection,
        from,
        request.mapping,
        await vocabulariesOf(request.mapping, request.model),
      ),
    )
    refuseUnknown(unknown)
    const reasons = request.score.reasons ?? 0
    const metadata = { ...request.metadata }
    if (reasons > 0) {
      // Reasons are measured against the whole night, also those of a range.
      const whole = parquet(features)
      const { plan } = await timed('reasons', async () =>
        planReasons({
          ...request,
          connection: engine.connection,
          from: whole,
          rows: range === undefined ? rows : await countRows(engine, whole),
          scorers: opened.value,
          count: reasons,
        }),
      )
      await opened.value.giveReasons(plan)
      metadata.reasons = `${plan.method}, ${plan.unit}`
    }
    const scored = await timed('score', () =>
      scoreRows({ ...request, engine, from, rows, reasons, scorers: opened.value }),
    )
    await timed('write', () => write(engine, scored, { ...request, metadata }))
    const file = await timed('read back', () =>
      readBack({ engine, path: request.out, entity: request.entity, rows, metadata }),
    )
    return { file, rows, tally: scored.tally, checks: scored.checks, unknown, steps }
  } finally {
    await scorers?.close()
    engine.close()
  }
}

async function countRows(engine: Engine, from: string): Promise<number> {
  return Number((await engine.row(`SELECT count(*) AS rows FROM ${from}`)).rows)
}

async function write(engine: Engine, { from }: ScoredRows, request: ScoreRequest): Promise<void> {
  const { entity, score, version, out, metadata, mapping } = request
  const threshold = thresholdOf(score, mapping.output)
  const columns = [
    ...entity.map((name) => `features.${identifier(name)}`),
    `scores.score AS ${identifier(score.column)}`,
  ]
  // DuckDB counts NaN as larger than any number, which would decide for it.
  if (threshold !== undefined) {
    columns.push(`CASE WHEN isfinite(scores.score) THEN scores.score >= ${double(threshold)} END AS decision`)
  }
  columns.push(`${version}::INTEGER AS version`)
  const names = columnsOf(mapping).map(literal).join(', ')
  for (const [reason, effect] of reasonColumns(score.reasons)) {
    columns.push(
      `[${names}][scores.${reason}] AS ${reason}`,
      `CASE WHEN scores.${reason} > 0 THEN scores.${effect} END AS ${effect}`,
    )
  }
  await engine.run(copyTo(`SELECT ${columns.join(', ')} FROM ${from}`, out, metadata))
}

/** Writes a SELECT into a Parquet file with key-value metadata. */
export function copyTo(select: string, out: string, metadata: Record<string, string>): string {
  const pairs = Object.entries(metadata).map(([key, value]) => `${identifier(key)}: ${literal(value)}`)
  const options = ['FORMAT parquet', ...(pairs.length === 0 ? [] : [`KV_METADATA {${pairs.join(', ')}}`])]
  return `COPY (${select}) TO ${literal(out)} (${options.join(', ')})`
}

function oneEach(rows: number, written: number, column: string): Check {
  return {
    id: 'score.rows',
    kind: 'score.rows',
    column,
    passed: written === rows,
    observed: written,
    bound: rows,
    message: `expected one score for each of ${rows} feature rows, got: ${written}`,
    samples: [],
  }
}

/** An encoder that takes no unknown values ends the model's call, which would say neither column nor value. */
function refuseUnknown(found: UnknownValues[]): void {
  const [first] = found.filter(({ refuses, unknown }) => refuses && unknown > 0)
  if (first === undefined) return
  throw new Failure(
    'contract',
    `${unknownText(first)}, and fails on any other: give it one of these in features.sql`,
    {
      evidence: { column: first.column, unknown: first.unknown, rows: first.rows, examples: first.examples },
    },
  )
}

function refuseDoubles({ entity, score }: ScoreRequest): void {
  const names = [
    ...entity,
    score.column,
    ...(score.threshold === undefined ? [] : ['decision']),
    'version',
    ...reasonColumns(score.reasons).flat(),
  ]
  const lower = names.map((name) => name.toLowerCase())
  const double = names.find((_, index) => lower.indexOf(lower[index] ?? '') !== index)
  if (double === undefined) return
  throw new Failure(
    'contract',
    `the scores would have two columns ${double}; they have: ${names.join(', ')}. Rename the entity or score.column`,
  )
}
