import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import { Failure } from '../engine/failure.ts'
import { readRunId } from '../partition/footer.ts'
import { keepFile } from '../partition/partition-files.ts'
import { flipsOf, rankCorrelation, topOverlap } from './agreement.ts'
import { distanceOf, spreadOf } from './distance.ts'
import { moversOf } from './movers.ts'
import { pairScores, type ScoreSide } from './score-pairs.ts'
import { segmentFigures } from './segment-figures.ts'
import type { FeatureFile, ShadowFigures } from './shadow-figures.ts'

export interface CompareRequest {
  /** What is compared with. `run` undefined: a frozen file of a current process, which names none. */
  champion: ScoreFile
  challenger: ScoreFile
  /** Scores without a column `decision` are decided by it. */
  threshold: number | undefined
  /** A number of rows, or below 1 a share of them. */
  k: number
  segments: string[]
  /** The challenger's features, then the champion's where they are others. Files that were replaced are left out. */
  features: FeatureFile[]
  /** Two versions have scores of one scale; a current process may have another, so rows are compared by rank. */
  movedBy: 'score' | 'rank'
  /** A folder of its own on the warehouse's disk. */
  temp: string
  threads: number
}

export interface ScoreFile {
  path: string
  run: string | undefined
  entity: string[]
  score: string
}

/**
 * Compares two files of scores of one night, row by row, in columns. Throws Failures: `contract` where the files cannot be joined, `transient` where one was replaced meanwhile.
 */
export async function compareScores(request: CompareRequest): Promise<ShadowFigures> {
  const temp = await realpath(request.temp)
  const champion = await pinSide(request.champion, join(temp, 'champion.parquet'))
  const challenger = await pinSide(request.challenger, join(temp, 'challenger.parquet'))
  const features: FeatureFile[] = []
  for (const [index, file] of request.features.entries()) {
    const link = join(temp, `features-${index}.parquet`)
    await keepFile(file.path, link)
    if ((await readRunId(link)) === file.run) features.push({ ...file, path: link })
  }
  const engine = await openEngine({
    readable: [],
    writable: [temp],
    temp,
    threads: request.threads,
    timezone: 'UTC',
  })
  try {
    return await figuresOf(engine, { ...request, features }, champion, challenger)
  } finally {
    engine.close()
  }
}

async function figuresOf(
  engine: Engine,
  request: CompareRequest,
  champion: ScoreSide,
  challenger: ScoreSide,
): Promise<ShadowFigures> {
  const { features } = request
  const pairs = await pairScores(engine, champion, challenger, request.threshold)
  const { rows } = pairs
  const compared = rows.both - rows.not_numbers
  const missing =
    features.length < 1 && request.segments.length > 0
      ? ['no segments: the features that were scored are no longer published']
      : []
  const segments = await segmentFigures(engine, request.segments, features, pairs.decided)
  return {
    rows,
    coverage: rows.champion === 0 ? null : compared / rows.champion,
    rank_correlation: await rankCorrelation(engine),
    top: await topOverlap(engine, request.k, compared),
    flips: pairs.decided ? await flipsOf(engine) : null,
    distance: await distanceOf(engine),
    champion: await spreadOf(engine, 'a'),
    challenger: await spreadOf(engine, 'b'),
    by_segment: segments.figures,
    movers: await moversOf(engine, request.movedBy, champion.entity, features, compared),
    notes: [...notesOf(rows), ...missing, ...segments.notes],
  }
}

function notesOf({ champion, challenger, both, not_numbers }: ShadowFigures['rows']): string[] {
  const notes: string[] = []
  if (champion === 0 || challenger === 0) notes.push('one side has no rows')
  else if (both === 0) notes.push('no entity was scored by both sides: are the entities of one kind?')
  if (not_numbers > 0) notes.push(`${not_numbers} rows are not compared: a score is null, NaN or infinite`)
  return notes
}

/** Links a file into the folder, where it cannot be replaced while it is read. */
async function pinSide({ path, run, ...side }: ScoreFile, link: string): Promise<ScoreSide> {
  await keepFile(path, link)
  if (run !== undefined && (await readRunId(link)) !== run) {
    throw new Failure('transient', `${path} is not what run ${run} wrote: it was replaced meanwhile`)
  }
  return { ...side, file: link }
}
