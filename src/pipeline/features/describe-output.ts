import { didYouMean } from '../../project/files/nearest.ts'
import type { Problem } from '../../project/files/problem.ts'
import type { View } from '../../project/project.ts'
import { KINDS_WITH_TIME, traitsOf } from '../../project/source-kinds.ts'
import { readEngineError } from '../engine/engine-error.ts'
import type { Column } from '../engine/facts.ts'
import type { CutQuery } from '../sql/cut-query.ts'
import { itemOf } from '../sql/select-list.ts'
import { sumAdvice } from '../sql/sums.ts'
import { type Node, offsetOf } from '../sql/syntax.ts'
import { indexOfByte, type Place, placeOf } from '../sql/tokens.ts'
import { isNumber } from './expectation-plan.ts'

export interface OutputFiles {
  /** Paths as problems name them. */
  sql: string
  yaml: string
}

const DESCRIBE = 'DESCRIBE '
const INTEGER = /^U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)$/
/** Types that Parquet stores unchanged and models accept. */
const LEGAL =
  /^(?:BOOLEAN|U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|DECIMAL\(.*\)|VARCHAR|DATE|TIMESTAMP|TIMESTAMP WITH TIME ZONE)$/

/**
 * The output columns and types of a view's SQL, with all problems; computes no rows. Also reports references in
 * view.yaml to missing columns. Throws only errors that the SQL did not cause.
 */
export async function describeOutput(
  query: CutQuery,
  view: View,
  files: OutputFiles,
): Promise<{ columns: Column[]; problems: Problem[] }> {
  let columns: Column[]
  try {
    const rows = await query.engine.rows(`${DESCRIBE}${query.sql}`, query.values)
    columns = rows.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
  } catch (error) {
    return { columns: [], problems: [bindProblem(query, files.sql, error)] }
  }
  const problems = [
    ...columnProblems(query, columns, files.sql),
    ...viewProblems(view, columns, query.checked.tables, files.yaml),
    ...sumAdvice(query, columns).map(({ node, message }) =>
      problemAt(query, files.sql, 'advice', node, message),
    ),
  ]
  return { columns, problems }
}

/** The binder's message, with its position in the user's SQL. */
function bindProblem(query: CutQuery, file: string, error: unknown): Problem {
  const engine = readEngineError(error)
  if (engine === undefined || engine.type === 'INTERNAL') throw error
  const offset = engine.position === undefined ? undefined : engine.position - DESCRIBE.length
  const place =
    offset === undefined || offset < 0 ? undefined : placeOf(query.sql, indexOfByte(query.sql, offset))
  return {
    severity: 'error',
    file,
    line: place?.line,
    column: place?.column,
    message: bindMessage(query, engine.message, engine.name),
  }
}

function bindMessage(query: CutQuery, message: string, name: string | undefined): string {
  const missing = /^(?:Referenced column|Values list|Table) /.test(message)
    ? (name ?? /column (?:named )?"([^"]+)"/.exec(message)?.[1])
    : undefined
  if (missing === undefined) return message
  const tables = query.tables.filter(({ found }) => query.checked.tables.includes(found.name))
  const known = tables.map(
    ({ found, schema }) => `${found.name} has ${schema.columns.map((column) => column.name).join(', ')}`,
  )
  const names = tables.flatMap(({ schema }) => schema.columns.map((column) => column.name))
  return `expected the name of a column, got: ${missing}; ${known.join('; ')}${didYouMean(missing, names)}`
}

function columnProblems(query: CutQuery, columns: Column[], file: string): Problem[] {
  const problems: Problem[] = []
  columns.forEach(({ name, type }, index) => {
    const node = itemOf(query.checked.tree, name, index)
    const first = columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase())
    if (first < index)
      problems.push(
        problemAt(
          query,
          file,
          'error',
          node,
          `expected every column to have a unique name, got: a second ${name}; name it with AS`,
        ),
      )
    if (LEGAL.test(type)) return
    problems.push(problemAt(query, file, 'error', node, `column ${name} is ${type}: ${remedy(name, type)}`))
  })
  return problems
}

function remedy(name: string, type: string): string {
  if (/^U?HUGEINT$/.test(type))
    return `Parquet would store it as DOUBLE and lose digits. Cast it: (...)::BIGINT AS ${name}, or ::FLOAT for a model`
  if (/^ENUM|^UUID$|^JSON$|^VARIANT/.test(type)) return `cast it: (...)::VARCHAR AS ${name}`
  if (/^TIMESTAMP_/.test(type)) return `cast it: (...)::TIMESTAMP AS ${name}`
  if (/^INTERVAL$|^TIME/.test(type))
    return `a model needs a number: use date_diff('second', ...) or epoch(...) AS ${name}`
  if (/^(?:STRUCT|MAP|UNION)|\[\d*\]$/.test(type))
    return `a feature is one value: extract it with x.field, x[1] or len(x)`
  return `legal are BOOLEAN, integers to BIGINT, FLOAT, DOUBLE, DECIMAL, VARCHAR, DATE and TIMESTAMP`
}

/** Problems in view.yaml about missing columns or wrong types. */
function viewProblems(view: View, columns: Column[], reads: string[], file: string): Problem[] {
  const names = columns.map(({ name }) => name)
  const problems: Problem[] = []
  const say = (message: string, severity: Problem['severity'] = 'error') =>
    problems.push({ severity, file, line: undefined, column: undefined, message })
  const find = (where: string, name: string) => {
    const column = columns.find((each) => each.name === name)
    if (column === undefined)
      say(
        `${where}: expected a column of features.sql, got: ${name}; it has: ${names.join(', ')}${didYouMean(name, names)}`,
      )
    return column
  }
  for (const name of view.entity) find('entity', name)
  for (const [name, expectation] of Object.entries(view.columns)) {
    const column = find('columns', name)
    if (column === undefined) continue
    if ((expectation.min !== undefined || expectation.max !== undefined) && !isNumber(column.type)) {
      say(`columns.${name}: min and max are for numbers, and ${name} is ${column.type}`)
    }
    const strange = expectation.values?.find((value) => !holds(column.type, value))
    if (strange !== undefined)
      say(`columns.${name}.values: expected values of type ${column.type}, got: ${JSON.stringify(strange)}`)
  }
  for (const [name, value] of Object.entries(view.fill)) {
    const column = find('fill', name)
    if (column !== undefined && !holds(column.type, value))
      say(`fill.${name}: expected a value of type ${column.type}, got: ${JSON.stringify(value)}`)
  }
  for (const name of Object.keys(view.expect.fresh)) {
    const source = view.sources[name]
    if (source === undefined) continue
    if (traitsOf(source).time === undefined)
      say(
        `expect.fresh.${name}: ${name} is ${source.kind} and has no time column; declare it as ${KINDS_WITH_TIME}`,
      )
    else if (!reads.includes(name))
      say(
        `expect.fresh.${name}: features.sql does not read ${name}, so no night waits for it; remove it`,
        'warning',
      )
  }
  return problems
}

function holds(type: string, value: string | number | boolean): boolean {
  if (typeof value === 'boolean') return type === 'BOOLEAN'
  if (typeof value === 'string')
    return ['VARCHAR', 'DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE'].includes(type)
  return isNumber(type) && (!INTEGER.test(type) || Number.isInteger(value))
}

/** Reported where a node of the SQL begins. */
export function problemAt(
  query: CutQuery,
  file: string,
  severity: Problem['severity'],
  node: Node | undefined,
  message: string,
): Problem {
  const place = node === undefined ? undefined : nodePlace(query.sql, node)
  return { severity, file, line: place?.line, column: place?.column, message }
}

/** A cast's own place is that of `::`; what is cast begins before it. */
function nodePlace(sql: string, node: Node): Place | undefined {
  const offset = offsetOf(node)
  return offset === undefined ? undefined : placeOf(sql, indexOfByte(sql, offset))
}
