import type { Engine } from '../engine/duckdb.ts'
import { MOST_IN_MEMORY, openLabelled } from '../evaluation/labelled-table.ts'
import { groupRows, type MeasureFacts, measure } from '../evaluation/measure.ts'
import { measureTable } from '../evaluation/measure-table.ts'
import type { OutcomeFacts } from './outcome-facts.ts'
import { type Night, readRows } from './rows.ts'

export interface NightMeasureRequest {
  /** Chooses the rows that are measured, and how many they are. */
  where: string
  rows: number
  /** A number of rows, or below 1 a share of them. */
  k: number
  seed: number
  resamples: number | undefined
  /** Rows that are measured in memory. Default: MOST_IN_MEMORY. */
  most: number | undefined
  /** Where the engine may write. */
  folder: string
}

export type NightFigures = Pick<
  OutcomeFacts,
  | 'kind'
  | 'rows'
  | 'positives'
  | 'metrics'
  | 'intervals'
  | 'calibration'
  | 'realized'
  | 'predicted'
  | 'by_segment'
  | 'notes'
> &
  Pick<MeasureFacts<never>, 'rival'>

/** Measures rows of a night, in memory or, from `most` rows on, from a sorted file: memory then stays the same. */
export async function measureNight(
  engine: Engine,
  night: Night,
  request: NightMeasureRequest,
): Promise<NightFigures> {
  return request.rows > (request.most ?? MOST_IN_MEMORY)
    ? await measureLarge(engine, night, request)
    : await measureSmall(engine, night, request)
}

async function measureSmall(
  engine: Engine,
  night: Night,
  { where, k, seed, resamples }: NightMeasureRequest,
): Promise<NightFigures> {
  const { scores, labels, rival, segments } = await readRows(engine, night, where)
  const {
    parts,
    resamples: _,
    ...facts
  } = measure({
    sample: { scores, labels },
    // A night has one row for each entity.
    entities: Uint32Array.from(labels, (_label, index) => index),
    entityCount: labels.length,
    parts: Object.entries(segments).flatMap(([segment, values]) =>
      [...groupRows(values)].map(([value, rows]) => ({ key: { segment, value }, rows })),
    ),
    rival,
    k,
    seed,
    resamples,
  })
  return { ...facts, by_segment: parts.map(({ key, rival: _rival, ...part }) => ({ ...key, ...part })) }
}

async function measureLarge(
  engine: Engine,
  { select, hasRival, keys, segments }: Night,
  { where, k, seed, resamples, most, folder }: NightMeasureRequest,
): Promise<NightFigures> {
  const table = await openLabelled(engine, {
    select: `SELECT score, label, hash(${keys.join(', ')}) AS entity${hasRival ? ', rival' : ''}${segments.map((_, index) => `, part_${index}`).join('')}
               FROM (${select}) WHERE ${where}`,
    hasRival,
    partings: segments.length,
    folder,
  })
  const measured = await measureTable(table, { k, seed, resamples, most, threshold: undefined })
  const { parts, resamples: _, confusion: _confusion, curves: _curves, ...facts } = measured
  return {
    ...facts,
    by_segment: parts.map(({ key, rival: _rival, ...part }) => ({
      segment: segments[key.parting] ?? '',
      value: key.value,
      ...part,
    })),
  }
}
