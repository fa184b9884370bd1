import type { Engine } from '../engine/duckdb.ts'
import { Failure } from '../engine/failure.ts'
import { identifier } from '../engine/quote.ts'

/** The labelled rows of a night, sorted by entity, and whose they are. */
export interface NightRows {
  scores: Float64Array
  labels: Float64Array
  treated: boolean[]
  control: boolean[]
  /** Other scores of the same rows, where there are any. */
  rival: Float64Array | undefined
  /** By name of the segment: each row's value as text. */
  segments: Record<string, (string | null)[]>
  /** Rows of the scores, of those without a label, and of those that were acted on. */
  scored: number
  unlabelled: number
  acted: number
}

export interface RowsRequest {
  entity: string[]
  /** The score's column, and the label's. */
  score: string
  label: string
  /** Columns of the table `features`. */
  segments: string[]
  /** The table `rival` has other scores: rows without one are left out. */
  hasRival: boolean
}

/** Joins the night's tables by entity. Throws a contract Failure where the scores have other columns. */
export async function readNight(engine: Engine, request: RowsRequest): Promise<NightRows> {
  const { entity, score, label, segments, hasRival } = request
  const columns = (await engine.rows('DESCRIBE scores')).map((row) => String(row.column_name))
  const missing = [...entity, score].filter((name) => !columns.includes(name))
  if (missing.length > 0) {
    throw new Failure(
      'contract',
      `the scores as published have no column ${missing.join(', ')}; they have: ${columns.join(', ')}`,
    )
  }
  const names = entity.map(identifier)
  const using = `USING (${names.join(', ')})`
  const marked = (table: string) =>
    `LEFT JOIN (SELECT ${names.join(', ')}, true AS is_${table} FROM ${table}) AS t_${table} ${using}`
  const from = `scores AS s${hasRival ? ` JOIN rival ${using}` : ''} ${marked('treated')}`
  const counts = await engine.row(
    `SELECT count(*)::INTEGER AS scored, count(*) FILTER (is_treated)::INTEGER AS acted FROM ${from}`,
  )
  const reader = await engine.connection.runAndReadAll(
    `SELECT s.${identifier(score)}::DOUBLE, l.${identifier(label)}::DOUBLE, coalesce(is_treated, false), coalesce(is_control, false)${hasRival ? ', rival_score' : ''}${segments.map((name) => `, f.${identifier(name)}::VARCHAR`).join('')}
       FROM ${from} ${marked('control')} JOIN labels AS l ${using}${segments.length === 0 ? '' : ` LEFT JOIN features AS f ${using}`}
      WHERE l.${identifier(label)} IS NOT NULL ORDER BY ${names.map((name) => `s.${name}`).join(', ')}`,
  )
  const [scores = [], labels = [], treated = [], control = [], ...more] = reader.getColumnsJS()
  const [rival, rest] = hasRival ? [more[0] ?? [], more.slice(1)] : [undefined, more]
  const scored = Number(counts.scored)
  return {
    // A score that is null would count as 0: it is counted as missing.
    scores: Float64Array.from(scores, (value) => (value === null ? Number.NaN : Number(value))),
    labels: Float64Array.from(labels, Number),
    treated: treated.map((value) => value === true),
    control: control.map((value) => value === true),
    rival: rival && Float64Array.from(rival, Number),
    segments: Object.fromEntries(
      segments.map((name, index) => [
        name,
        (rest[index] ?? []).map((value) => (value === null ? null : String(value))),
      ]),
    ),
    scored,
    unlabelled: scored - labels.length,
    acted: Number(counts.acted),
  }
}
