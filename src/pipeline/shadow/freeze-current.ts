import { realpath } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import { didYouMean } from '../../project/files/nearest.ts'
import type { CurrentProcess } from '../../project/project.ts'
import { type AsOf, grainOf } from '../../project/time/asof.ts'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, literal, parquet } from '../engine/quote.ts'
import { entityTypeFault } from '../features/entity-types.ts'
import { isNumber } from '../features/expectation-plan.ts'
import { expandGlob, hiveKeys } from '../sources/glob.ts'
import { FROZEN_SCORE } from './frozen-score.ts'

export interface FreezeRequest {
  /** Absolute paths of the project, and of its warehouse, from which nothing is read. */
  root: string
  warehouse: string
  current: CurrentProcess
  asOf: AsOf
  timezone: string
  /** The challenger's scores: their entity gives names and types. */
  scores: string
  entity: string[]
  out: string
  temp: string
  threads: number
}

export type FrozenScores =
  | { state: 'frozen'; rows: number }
  /** There are no scores of this night, or not yet. */
  | { state: 'missing'; reason: string }

/**
 * Writes the scores that a current process has of one night into a file of our own, so that late labels meet the same
 * scores. Throws contract Failures where they do not fit.
 */
export async function freezeCurrent(request: FreezeRequest): Promise<FrozenScores> {
  const { current, asOf, entity } = request
  if (current.entity.length !== entity.length) {
    throw refused(
      'entity',
      `${entity.length} ${entity.length === 1 ? 'column' : 'columns'} (${entity.join(', ')})`,
      current.entity.join(', '),
    )
  }
  const found = await filesOf(request)
  if ('reason' in found) return { state: 'missing', reason: found.reason }
  const engine = await openEngine({
    readable: [...found.files, await realpath(request.scores)],
    writable: [await realpath(dirname(request.out)), await realpath(request.temp)],
    temp: request.temp,
    threads: request.threads,
    timezone: request.timezone,
  })
  try {
    const columns = await describeFile(engine, found.files)
    refuseColumns(current, columns, await describeFile(engine, request.scores), entity)
    const where = found.dated || current.date === undefined ? 'true' : nightOf(current.date, columns, asOf)
    const keys = current.entity.map(
      (name, index) => `${identifier(name)} AS ${identifier(entity[index] ?? '')}`,
    )
    const names = entity.map(identifier).join(', ')
    // A FLOAT stays one: it meets thresholds as FLOAT.
    const isFloat = columns.some(({ name, type }) => name === current.score && type === 'FLOAT')
    const score = `${identifier(current.score)}::${isFloat ? 'FLOAT' : 'DOUBLE'} AS ${FROZEN_SCORE}`
    await engine.run(
      `CREATE TEMP TABLE current AS SELECT ${keys.join(', ')}, ${score}
         FROM ${parquet(found.files)} WHERE ${where} AND ${current.entity.map((name) => `${identifier(name)} IS NOT NULL`).join(' AND ')}`,
    )
    const { rows } = await engine.row('SELECT count(*) AS rows FROM current')
    if (Number(rows) === 0) {
      const which = current.date === undefined ? '' : ` with ${current.date} of ${asOf.label}`
      return { state: 'missing', reason: `${current.path} has no row${which}` }
    }
    const [twice] = await engine.rows(
      `SELECT ${entity.map((name) => `${identifier(name)}::VARCHAR`).join(" || ', ' || ")} AS entity, count(*) AS rows FROM current GROUP BY ${names} HAVING count(*) > 1 ORDER BY 1 LIMIT 1`,
    )
    if (twice !== undefined) {
      throw new Failure(
        'contract',
        `shadow.current: expected one row for each ${current.entity.join(', ')}, got: ${twice.rows} rows of ${String(twice.entity)} for ${asOf.label}. Put each night into a folder as_of=D, or name the column of dates under shadow.current.date`,
      )
    }
    await engine.run(
      `COPY (SELECT * FROM current ORDER BY ${names}) TO ${literal(request.out)} (FORMAT parquet)`,
    )
    return { state: 'frozen', rows: Number(rows) }
  } finally {
    engine.close()
  }
}

/**
 * The files of a night. Files in `as_of=D` folders are those of that night alone (`dated`); other files are read by
 * every night, whole or by the column of dates.
 */
async function filesOf({
  root,
  warehouse,
  current,
  asOf,
}: FreezeRequest): Promise<{ files: string[]; dated: boolean } | { reason: string }> {
  const { files, unreadable } = expandGlob(root, current.path)
  const [broken] = unreadable
  if (broken !== undefined) throw new Failure('contract', `shadow.current: ${broken.path} ${broken.why}`)
  const nights = files.map(({ path }) => ({ path, night: hiveKeys(path).get('as_of') }))
  const dated = nights.some(({ night }) => night !== undefined)
  const undated = nights.find(({ night }) => night === undefined)
  if (dated && undated !== undefined) {
    throw new Failure(
      'contract',
      `shadow.current.path: expected all files in folders as_of=D, or none, got: ${undated.path} beside others that are`,
    )
  }
  const chosen = nights.filter(({ night }) => !dated || night === asOf.label).map(({ path }) => path)
  if (chosen.length === 0) {
    return {
      reason: dated ? `${current.path} has no folder as_of=${asOf.label}` : `${current.path} matches no file`,
    }
  }
  const own = await realpath(warehouse)
  const real = await Promise.all(chosen.map((path) => realpath(path)))
  const ours = real.find((path) => path.startsWith(`${own}${sep}`))
  if (ours !== undefined) {
    throw new Failure(
      'contract',
      `shadow.current.path: expected files of the process that is to be replaced, got: ${ours}, which lies in the warehouse that this project writes`,
    )
  }
  return { files: real, dated }
}

async function describeFile(engine: Engine, files: string | string[]): Promise<Column[]> {
  const rows = await engine.rows(`DESCRIBE SELECT * FROM ${parquet(files)}`)
  return rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
}

function refuseColumns(current: CurrentProcess, columns: Column[], scores: Column[], entity: string[]): void {
  const names = columns.map(({ name }) => name)
  const wanted = [...current.entity, current.score, ...(current.date === undefined ? [] : [current.date])]
  const missing = wanted.find((name) => !names.includes(name))
  if (missing !== undefined) {
    throw new Failure(
      'contract',
      `shadow.current: expected a column of ${current.path} (${names.join(', ')}), got: ${missing}${didYouMean(missing, names)}`,
    )
  }
  const score = columns.find(({ name }) => name === current.score)
  if (score !== undefined && !isNumber(score.type))
    throw refused('score', 'a number', `${score.name}, which is ${score.type}`)
  for (const [index, name] of current.entity.entries()) {
    const own = columns.find((column) => column.name === name)
    const as = entity[index] ?? name
    const fault = own && entityTypeFault({ ...own, name: as }, scores)
    if (fault !== undefined) throw new Failure('contract', `shadow.current.entity: ${fault}`)
  }
}

/** The rows of a night, by the column of dates: local days and local times of the project's zone. */
function nightOf(date: string, columns: Column[], asOf: AsOf): string {
  const type = columns.find(({ name }) => name === date)?.type ?? ''
  const column = identifier(date)
  if (type === 'VARCHAR') {
    return grainOf(asOf) === 'day'
      ? `(${column} = ${literal(asOf.label)} OR TRY_CAST(${column} AS DATE) = DATE ${literal(asOf.label)})`
      : `${column} = ${literal(asOf.label)}`
  }
  if (grainOf(asOf) === 'day' && /^(?:DATE|TIMESTAMP)/.test(type))
    return `CAST(${column} AS DATE) = DATE ${literal(asOf.label)}`
  if (type.endsWith('WITH TIME ZONE')) return `${column} = TIMESTAMPTZ ${literal(asOf.instant)}`
  if (type.startsWith('TIMESTAMP')) return `${column} = TIMESTAMP ${literal(asOf.local)}`
  throw refused('date', 'dates, times or texts such as 2026-11-22', `${date}, which is ${type}`)
}

function refused(key: string, legal: string, got: string): Failure {
  return new Failure('contract', `shadow.current.${key}: expected ${legal}, got: ${got}`)
}
