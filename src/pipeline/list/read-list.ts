import { realpath } from 'node:fs/promises'
import { MOST_REASONS, reasonColumns } from '../../project/schema/score-columns.ts'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import { Failure } from '../engine/failure.ts'
import { double, identifier, literal, parquet } from '../engine/quote.ts'

export interface ListRequest {
  /** Path of the published scores, and of those of an earlier night to compare with. */
  scores: string
  before: string | undefined
  entity: string[]
  /** The score's column. */
  score: string
  /** How many of the highest scores. */
  top: number
  temp: string
}

/** A row of the list; values as DuckDB writes them. */
export interface ListedRow {
  entity: string[]
  score: number
  /** 1 for the highest score; equal scores share a rank. */
  rank: number
  /** Null without a threshold. */
  decision: boolean | null
  reasons: { column: string; effect: number }[]
  /** Of the other night; null where it had no such row. */
  before: { rank: number; score: number } | null
}

export interface ListFacts {
  /** Of the file's metadata. */
  run: string | null
  /** How reasons were found, such as `paths, log-odds`; null without any. */
  method: string | null
  rows: number
  /** Rows with the decision true; null without a threshold. */
  decided: number | null
  /** The lowest score with the decision true, and the highest with false: the threshold of the night lies between. */
  edge: { lowest: number | null; highest: number | null }
  top: ListedRow[]
  /** Rows that have the score of the last row of `top`, and how many of them `top` has: it cuts ties by entity. */
  ties: { rows: number; shown: number }
  /**
   * The list is the rows with the decision true, without a threshold the `top` highest scores. Of those that came and went at most
   * 20, those that stood highest first.
   */
  compared: {
    entered: number
    stayed: number
    left: number
    entrants: ChangedRow[]
    leavers: ChangedRow[]
  } | null
}

/** A row that is on one of two lists alone: its score on that one, and on the other night; null where it has none there. */
export interface ChangedRow {
  entity: string[]
  score: number
  other: number | null
}

const MOST_CHANGED = 20
/** DuckDB spills what does not fit: a list is looked at while nights are computed. */
const MEMORY = '512MB'

/**
 * Reads the top of a published list, and compares it with an earlier night's. Memory is bounded whatever the size of the files: the top is kept
 * while the file streams by, ranks are sorted with what does not fit on disk. 1,000,000 rows: 0.5 s.
 */
export async function readList(request: ListRequest): Promise<ListFacts> {
  const paths = await Promise.all(
    [request.scores, request.before].filter((path) => path !== undefined).map((path) => realpath(path)),
  )
  const [now = '', before] = paths
  const engine = await openEngine({
    readable: paths,
    writable: [],
    temp: request.temp,
    threads: 1,
    memoryLimit: MEMORY,
    timezone: 'UTC',
  })
  try {
    const { run, reasons: method } = await metadataOf(engine, now)
    const columns = (await engine.rows(`DESCRIBE SELECT * FROM ${parquet(now)}`)).map((row) =>
      String(row.column_name),
    )
    const decides = columns.includes('decision')
    const own = identifier(request.score)
    const { rows, decided, lowest, highest } = await engine.row(
      `SELECT count(*)::INTEGER AS rows,
              ${decides ? `count(*) FILTER (decision)::INTEGER AS decided, min(${own}) FILTER (decision) AS lowest, max(${own}) FILTER (NOT decision) AS highest` : 'NULL AS decided, NULL AS lowest, NULL AS highest'}
         FROM ${parquet(now)}`,
    )
    const top = await topOf(engine, now, before, request, columns)
    const facts: ListFacts = {
      run,
      method,
      rows: Number(rows),
      decided: decided === null ? null : Number(decided),
      edge: { lowest: numberOrNull(lowest), highest: numberOrNull(highest) },
      top,
      ties: await tiesOf(engine, now, request, top),
      compared: before === undefined ? null : await compare(engine, now, before, request, decides),
    }
    const again = await metadataOf(engine, now)
    if (again.run !== run) {
      throw new Failure(
        'transient',
        `${request.scores} was published again while it was read: run ${run}, then ${again.run}`,
      )
    }
    return facts
  } finally {
    engine.close()
  }
}

async function metadataOf(
  engine: Engine,
  path: string,
): Promise<{ run: string | null; reasons: string | null }> {
  const rows = await engine.rows(
    `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${literal(path)})`,
  )
  const textOf = (key: string) => {
    const found = rows.find((row) => row.key === key)
    return found === undefined ? null : String(found.value)
  }
  return { run: textOf('run'), reasons: textOf('reasons') }
}

/** Scores that are numbers; others have no rank. */
function ranked(path: string, score: string, what: string): string {
  return `(SELECT ${what}, rank() OVER (ORDER BY ${identifier(score)} DESC) AS _rank FROM ${parquet(path)} WHERE isfinite(${identifier(score)}))`
}

async function topOf(
  engine: Engine,
  now: string,
  before: string | undefined,
  { entity, score, top }: ListRequest,
  columns: string[],
): Promise<ListedRow[]> {
  const keys = entity.map(identifier)
  const own = identifier(score)
  const reasons = reasonColumns(MOST_REASONS).filter(([reason]) => columns.includes(reason))
  const listed = `(SELECT * FROM ${parquet(now)} WHERE isfinite(${own}) ORDER BY ${own} DESC, ${keys.join(', ')} LIMIT ${top})`
  const earlier =
    before === undefined
      ? ''
      : `LEFT JOIN ${ranked(before, score, `${keys.join(', ')}, ${own} AS _score`)} b ON ${keys.map((key) => `b.${key} = t.${key}`).join(' AND ')}`
  const rows = await engine.rows(
    `SELECT ${entity.map((name, index) => `t.${identifier(name)}::VARCHAR AS e${index}`).join(', ')}, t.${own} AS score,
            rank() OVER (ORDER BY t.${own} DESC)::INTEGER AS rank,
            ${columns.includes('decision') ? 't.decision' : 'NULL'} AS decision,
            ${before === undefined ? 'NULL' : 'b._rank::BIGINT'} AS before_rank, ${before === undefined ? 'NULL' : 'b._score'} AS before_score
            ${reasons.map(([reason, effect], index) => `, t.${reason} AS r${index}, t.${effect} AS f${index}`).join('')}
       FROM ${listed} t ${earlier} ORDER BY t.${own} DESC, ${keys.map((key) => `t.${key}`).join(', ')}`,
  )
  return rows.map((row) => ({
    entity: entity.map((_, index) => String(row[`e${index}`])),
    score: Number(row.score),
    rank: Number(row.rank),
    decision: typeof row.decision === 'boolean' ? row.decision : null,
    reasons: reasons.flatMap((_, index) => {
      const column = row[`r${index}`]
      return typeof column === 'string' ? [{ column, effect: Number(row[`f${index}`]) }] : []
    }),
    before:
      row.before_rank === null ? null : { rank: Number(row.before_rank), score: Number(row.before_score) },
  }))
}

/** Where `top` ends within equal scores, those with the lowest entities are in it. */
async function tiesOf(
  engine: Engine,
  now: string,
  { score }: ListRequest,
  top: ListedRow[],
): Promise<ListFacts['ties']> {
  const last = top.at(-1)
  if (last === undefined) return { rows: 0, shown: 0 }
  const { rows } = await engine.row(
    `SELECT count(*) FILTER (${identifier(score)} = ${double(last.score)})::INTEGER AS rows FROM ${parquet(now)}`,
  )
  return { rows: Number(rows), shown: top.filter(({ rank }) => rank === last.rank).length }
}

async function compare(
  engine: Engine,
  now: string,
  before: string,
  { entity, score, top }: ListRequest,
  decides: boolean,
): Promise<NonNullable<ListFacts['compared']>> {
  const keys = entity.map(identifier).join(', ')
  const own = identifier(score)
  const hadDecisions = (await engine.rows(`DESCRIBE SELECT * FROM ${parquet(before)}`)).some(
    (row) => row.column_name === 'decision',
  )
  const listOf = (path: string) =>
    decides && hadDecisions
      ? `(SELECT ${keys}, ${own} FROM ${parquet(path)} WHERE decision)`
      : `(SELECT ${keys}, ${own} FROM ${parquet(path)} WHERE isfinite(${own}) ORDER BY ${own} DESC, ${keys} LIMIT ${top})`
  const only = (path: string, other: string) => `${listOf(path)} ANTI JOIN ${listOf(other)} USING (${keys})`
  const rowsOf = async (from: string) =>
    Number((await engine.row(`SELECT count(*)::INTEGER AS rows FROM ${from}`)).rows)
  const changed = async (path: string, other: string): Promise<ChangedRow[]> => {
    const rows = await engine.rows(
      `SELECT ${entity.map((name, index) => `l.${identifier(name)}::VARCHAR AS e${index}`).join(', ')}, l.${own} AS score, o.${own} AS other
         FROM (SELECT * FROM ${only(path, other)} ORDER BY ${own} DESC, ${keys} LIMIT ${MOST_CHANGED}) l
         LEFT JOIN (SELECT ${keys}, ${own} FROM ${parquet(other)}) o ON ${entity.map((name) => `o.${identifier(name)} = l.${identifier(name)}`).join(' AND ')}
        ORDER BY l.${own} DESC, ${entity.map((name) => `l.${identifier(name)}`).join(', ')}`,
    )
    return rows.map((row) => ({
      entity: entity.map((_, index) => String(row[`e${index}`])),
      score: Number(row.score),
      other: numberOrNull(row.other),
    }))
  }
  return {
    entered: await rowsOf(only(now, before)),
    stayed: await rowsOf(`${listOf(now)} SEMI JOIN ${listOf(before)} USING (${keys})`),
    left: await rowsOf(only(before, now)),
    entrants: await changed(now, before),
    leavers: await changed(before, now),
  }
}

function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value)
}
