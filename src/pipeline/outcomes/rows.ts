import type { Engine } from '../engine/duckdb.ts'
import { Failure } from '../engine/failure.ts'
import { identifier } from '../engine/quote.ts'

/** The labelled rows of a night as SQL, and how many rows there are. */
export interface Night {
  /**
   * A SELECT of `score` and `label` (DOUBLE), `treated` and `control` (BOOLEAN), the entity as `key_0`, `key_1`, ..., `rival` (DOUBLE)
   * where there is one, and each segment's value as `part_0`, `part_1`, ... (VARCHAR or null).
   */
  select: string
  hasRival: boolean
  keys: string[]
  segments: string[]
  /** Rows of the scores, and of those the rows that were acted on. */
  scored: number
  acted: number
  /** Rows with a label; of those the rows that were acted on, those of the control group, and those that are both. */
  labelled: number
  treated: number
  controls: number
  treatedControls: number
}

export interface NightRequest {
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
export async function openNight(engine: Engine, request: NightRequest): Promise<Night> {
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
  const keys = names.map((_, index) => `key_${index}`)
  const select = `SELECT s.${identifier(score)}::DOUBLE AS score, l.${identifier(label)}::DOUBLE AS label,
            coalesce(is_treated, false) AS treated, coalesce(is_control, false) AS control,
            ${names.map((name, index) => `s.${name} AS key_${index}`).join(', ')}${hasRival ? ', rival_score AS rival' : ''}${segments.map((name, index) => `, f.${identifier(name)}::VARCHAR AS part_${index}`).join('')}
       FROM ${from} ${marked('control')} JOIN labels AS l ${using}${segments.length === 0 ? '' : ` LEFT JOIN features AS f ${using}`}
      WHERE l.${identifier(label)} IS NOT NULL`
  const all = await engine.row(
    `SELECT count(*)::DOUBLE AS scored, count_if(is_treated)::DOUBLE AS acted FROM ${from}`,
  )
  const own = await engine.row(
    `SELECT count(*)::DOUBLE AS labelled, count_if(treated)::DOUBLE AS treated, count_if(control)::DOUBLE AS controls,
            count_if(treated AND control)::DOUBLE AS treated_controls FROM (${select})`,
  )
  return {
    select,
    hasRival,
    keys,
    segments,
    scored: Number(all.scored),
    acted: Number(all.acted),
    labelled: Number(own.labelled),
    treated: Number(own.treated),
    controls: Number(own.controls),
    treatedControls: Number(own.treated_controls),
  }
}

/** Rows of a night, sorted by entity. */
export interface NightRows {
  /** NaN where there is none: a score that is null would count as 0. */
  scores: Float64Array
  labels: Float64Array
  /** Other scores of the same rows, where there are any. */
  rival: Float64Array | undefined
  /** By name of the segment: each row's value as text. */
  segments: Record<string, (string | null)[]>
}

/** Reads the rows that are to be measured (`where`, over the night's `select`) into memory. */
export async function readRows(engine: Engine, night: Night, where: string): Promise<NightRows> {
  const { select, hasRival, keys, segments } = night
  const reader = await engine.connection.runAndReadAll(
    `SELECT score, label${hasRival ? ', rival' : ''}${segments.map((_, index) => `, part_${index}`).join('')}
       FROM (${select}) WHERE ${where} ORDER BY ${keys.join(', ')}`,
  )
  const [scores = [], labels = [], ...more] = reader.getColumnsJS()
  const [rival, values] = hasRival ? [more[0] ?? [], more.slice(1)] : [undefined, more]
  return {
    scores: Float64Array.from(scores, (value) => (value === null ? Number.NaN : Number(value))),
    labels: Float64Array.from(labels, Number),
    rival: rival && Float64Array.from(rival, Number),
    segments: Object.fromEntries(
      segments.map((name, index) => [
        name,
        (values[index] ?? []).map((value) => (value === null ? null : String(value))),
      ]),
    ),
  }
}
