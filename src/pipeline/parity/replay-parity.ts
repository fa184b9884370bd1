import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openEngine } from '../engine/duckdb.ts'
import { parquet } from '../engine/quote.ts'
import { type ScoreRequest, scorePartition } from '../scoring/score-partition.ts'
import { type Comparison, compare } from './compare.ts'

export interface ReplayRequest {
  /** Absolute path of the scores that the run published. */
  published: string
  /** How it scored; `out`, `temp` and `metadata` are the replay's own. */
  scoring: Omit<ScoreRequest, 'progress' | 'out' | 'temp' | 'metadata'>
}

/** Scores again without publishing, and compares with the published scores. Throws as `scorePartition` does. */
export async function replayScores({ published, scoring }: ReplayRequest): Promise<Comparison> {
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-replay-')))
  try {
    const out = join(temp, 'scores.parquet')
    // Reasons follow from the scores' own inputs, and model.yaml may ask for another number of them by now.
    const score = { ...scoring.score, reasons: undefined }
    const { file } = await scorePartition({ ...scoring, score, out, temp, metadata: {} })
    const before = await realpath(published)
    const engine = await openEngine({
      readable: [before],
      writable: [dirname(out)],
      temp,
      threads: scoring.threads,
      timezone: 'UTC',
    })
    try {
      return await compare({
        engine,
        left: parquet(before),
        right: parquet(out),
        entity: scoring.entity,
        columns: file.columns.filter(({ name }) => !scoring.entity.includes(name)),
      })
    } finally {
      engine.close()
    }
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}
