import { identifier } from '../engine/quote.ts'
import { isSet } from './instant.ts'
import type { Survey, Surveyed, TimeOf } from './survey.ts'

/** What the files of a source say of its times. Instants in milliseconds since 1970. */
export interface Times {
  source: Surveyed
  rows: number
  /** Different values of the declared time, and rows of the commonest and of the median one. */
  distinct: number
  most: number
  median: number
  oldest: number | undefined
  newest: number | undefined
  others: OtherTime[]
}

/** A time column that the declaration does not name, beside the declared time. */
export interface OtherTime extends TimeOf {
  /** Rows that say a time (null and `9999-12-31` say none). */
  filled: number
  /** Of these, rows whose time lies before or after the declared one. */
  earlier: number
  later: number
  /** Rows within the 24 hours from the declared time on. */
  sameDay: number
  distinct: number
  newest: number | undefined
}

/** One aggregation of each source, over all of its rows. */
export async function surveyTimes({ engine, sources }: Survey): Promise<Times[]> {
  const found: Times[] = []
  for (const source of sources) {
    const { time, others, from } = source
    const declared = time?.sql ?? 'NULL::TIMESTAMPTZ'
    const list = others.flatMap(({ sql }, index) => {
      const filled = isSet(sql)
      return [
        `count(*) FILTER (${filled}) AS filled${index}`,
        `count(*) FILTER (${filled} AND ${sql} < ${declared}) AS earlier${index}`,
        `count(*) FILTER (${filled} AND ${sql} > ${declared}) AS later${index}`,
        `count(*) FILTER (${filled} AND ${sql} >= ${declared} AND ${sql} < ${declared} + INTERVAL 24 HOUR) AS day${index}`,
        `approx_count_distinct(${sql}) AS distinct${index}`,
        `epoch_ms(max(${sql}) FILTER (${filled}))::DOUBLE AS newest${index}`,
      ]
    })
    const row = await engine.row(
      `SELECT count(*) AS rows, epoch_ms(min(${declared}) FILTER (${isSet(declared)}))::DOUBLE AS oldest, epoch_ms(max(${declared}) FILTER (${isSet(declared)}))::DOUBLE AS newest${list.map((text) => `, ${text}`).join('')} FROM ${from}`,
    )
    const groups =
      time === undefined
        ? undefined
        : await engine.row(
            `SELECT count(*) AS values, max(n) AS most, median(n)::DOUBLE AS median FROM (SELECT ${time.sql} AS t, count(*) AS n FROM ${from} GROUP BY 1)`,
          )
    found.push({
      source,
      rows: Number(row.rows),
      distinct: Number(groups?.values ?? 0),
      most: Number(groups?.most ?? 0),
      median: Number(groups?.median ?? 0),
      oldest: numberOf(row.oldest),
      newest: numberOf(row.newest),
      others: others.map((other, index) => ({
        ...other,
        filled: Number(row[`filled${index}`]),
        earlier: Number(row[`earlier${index}`]),
        later: Number(row[`later${index}`]),
        sameDay: Number(row[`day${index}`]),
        distinct: Number(row[`distinct${index}`]),
        newest: numberOf(row[`newest${index}`]),
      })),
    })
  }
  return found
}

const DAY_MS = 86_400_000

/** The newest declared time of all sources, and a day for what comes of the last rows before they are loaded. */
export function endOfData(times: Times[]): number | undefined {
  const all = times.map(({ newest }) => newest).filter((at) => at !== undefined)
  return all.length === 0 ? undefined : Math.max(...all) + DAY_MS
}

/** Names entities in a finding: the view's entity where the source has it, else nothing. */
export function entitySql(source: Surveyed, entity: string[]): string | undefined {
  const names = entity.map((name) =>
    source.schema.columns.find((column) => column.name.toLowerCase() === name.toLowerCase()),
  )
  if (names.length === 0 || names.some((column) => column === undefined)) return undefined
  return names.map((column) => `s.${identifier(column?.name ?? '')}::VARCHAR`).join(` || '/' || `)
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
