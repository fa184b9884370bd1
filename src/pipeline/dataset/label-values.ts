import type { LabelKind } from '../../project/rules/label-kind.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { Column } from '../engine/facts.ts'
import { identifier } from '../engine/quote.ts'
import { isFloat, isNumber } from '../features/expectation-plan.ts'
import { asNode, type Node, nodesIn } from '../sql/syntax.ts'

/** What is wrong with the type of a label, with the cast to write; undefined where nothing is. */
export function labelTypeFault({ name, type }: Column): string | undefined {
  if (isNumber(type) || type === 'BOOLEAN') return undefined
  const label = identifier(name)
  const [condition, example] =
    type === 'VARCHAR'
      ? [`${label} = 'yes'`, '']
      : [`${label} IS NOT NULL`, ', or the number of days or seconds']
  return `expected the label ${name} to be a number or BOOLEAN, got: ${type}; write (${condition})::INTEGER AS ${label}${example}`
}

/**
 * What is wrong with what a label's values can be, by its expression alone: a CASE of constants, or a constant.
 * Undefined where nothing is, or the expression says nothing of them.
 */
export function labelConstantsFault(
  { name }: Column,
  node: Node | undefined,
  kind: LabelKind,
): string | undefined {
  const values = constantsOf(node)
  if (values === undefined) return undefined
  if (values.includes(null))
    return `${nullText(name, 'some rows')}${node?.class === 'CASE' ? ', or an ELSE' : ''}`
  const numbers = values.map(Number)
  return numbers.some(Number.isNaN) ? undefined : valuesFault(name, numbers, kind)
}

/** Undefined where the expression is more than a choice of constants. */
function constantsOf(node: Node | undefined): (string | null)[] | undefined {
  if (node?.class === 'CAST') return constantsOf(asNode(node.child))
  if (node?.class === 'CONSTANT') {
    const value = asNode(node.value)
    if (value === undefined) return undefined
    const constant = value.is_null === true ? null : plain(value)
    return constant === undefined ? undefined : [constant]
  }
  if (node?.class !== 'CASE') return undefined
  const parts = [...nodesIn(node.case_checks).map((each) => asNode(each.then_expr)), asNode(node.else_expr)]
  const all = parts.map(constantsOf)
  return all.some((each) => each === undefined) ? undefined : all.flatMap((each) => each ?? [])
}

/** DuckDB's tree has decimals as whole numbers of their smallest units. */
function plain({ type, value }: Node): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'number') return undefined
  const scale = asNode(asNode(type)?.type_info)?.scale
  return String(typeof scale === 'number' ? value / 10 ** scale : value)
}

/**
 * What is wrong with the values of labels as written, with the SQL that fixes it; undefined if nothing is. `from` is
 * what FROM reads them with.
 */
export async function labelValuesFault(
  engine: Engine,
  from: string,
  { name, type }: Column,
  kind: LabelKind,
): Promise<string | undefined> {
  const label = identifier(name)
  const missing = isFloat(type) ? `${label} IS NULL OR isnan(${label})` : `${label} IS NULL`
  const seen = await engine.row(
    `SELECT count(*) AS rows, count_if(${missing}) AS missing, min(${label})::DOUBLE AS low, max(${label})::DOUBLE AS high, approx_count_distinct(${label}) AS about FROM ${from}`,
  )
  const [rows, without] = [Number(seen.rows), Number(seen.missing)]
  if (without > 0) return nullText(name, `${without} of ${rows} rows`)
  if (rows === 0 || type === 'BOOLEAN') return undefined
  const [low, high] = [Number(seen.low), Number(seen.high)]
  const isTwo =
    Number(seen.about) < 4 &&
    Number((await engine.row(`SELECT count(DISTINCT ${label}) AS n FROM ${from}`)).n) === 2
  // Two rows with two values do not show whether the label is a class.
  const checked = isTwo && rows > 2 ? [low, high] : kind === 'classes' ? [low, high] : []
  return valuesFault(name, checked, kind)
}

/**
 * 0 and 1 are the two classes. A score of 0 to 1 may predict a share between them; any other score may predict any
 * number.
 */
function valuesFault(name: string, values: number[], kind: LabelKind): string | undefined {
  const distinct = [...new Set(values)].sort((a, b) => a - b)
  const [low, high] = [distinct[0] ?? 0, distinct.at(-1) ?? 0]
  const isPair = distinct.length === 2 && distinct.every(Number.isInteger) && !(low === 0 && high === 1)
  const isWrong = (kind === 'classes' && (low < 0 || high > 1)) || (kind !== 'number' && isPair)
  if (!isWrong) return undefined
  const label = identifier(name)
  const fix = `write (${label} = ${high})::INTEGER AS ${label} if ${high} is what the score predicts`
  const regression =
    kind === 'classes'
      ? ''
      : '; if the model predicts a number, declare it in model.yaml: evaluation: { require: { rmse: { max: ... } } }'
  return `expected the label ${name} to be 0 or 1, or BOOLEAN, got: ${low}${high === low ? '' : ` and ${high}`}; ${fix}${regression}`
}

function nullText(name: string, where: string): string {
  const label = identifier(name)
  return `expected the label ${name} in every row, got null (or NaN) in ${where}; leave entities without a label out with WHERE ${label} IS NOT NULL, or write coalesce(${label}, 0) AS ${label} where null means no`
}
