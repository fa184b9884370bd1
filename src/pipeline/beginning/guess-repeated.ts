import { counted } from '../../format/numbers.ts'
import type { Engine } from '../engine/duckdb.ts'
import { identifier } from '../engine/quote.ts'
import type { Guess } from './guess.ts'
import type { Looked } from './guess-entity.ts'

/** Whole rows are compared in tables of so many. */
const MOST_COMPARED = 1_000_000

/** What happened once and stands there twice is counted twice. */
export async function repeatedRows(
  engine: Engine,
  { name, rows, columns, from }: Looked,
  isSelected: boolean,
): Promise<Guess[]> {
  if (rows > MOST_COMPARED) return []
  const all = columns.map((column) => identifier(column.name)).join(', ')
  const { n } = await engine.row(`SELECT count(*) AS n FROM (SELECT DISTINCT ${all} FROM ${from})`)
  const repeated = rows - Number(n)
  if (repeated === 0) return []
  return [
    {
      what: `${counted(repeated, 'row')} of ${name} ${repeated === 1 ? 'repeats another one' : 'repeat other ones'}`,
      why: 'they are the same in every column, and are counted each time',
      sure: 'sure',
      other: `${isSelected ? 'SELECT DISTINCT in its select' : 'select: SELECT DISTINCT * FROM raw'}, if they are mistakes`,
    },
  ]
}
