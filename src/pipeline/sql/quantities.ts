import { typeText } from './lossless-types.ts'
import { asNode, childrenOf, type Node, nodesIn } from './syntax.ts'

/**
 * What a column of a plan holds. A `count` is a whole number that neither rows nor calendars make larger than 2^53; a
 * `measure` is computed, as means and shares are; a `value` was handed on from a source as it is, so it may be a key.
 */
export type Quantity = 'count' | 'measure' | 'value'

/** A column that expressions of an operator refer to by its number. */
export interface PlanColumn {
  quantity: Quantity
  type: string
}

/** Undefined if the column numbering of an operator is unknown. */
export type PlanColumns = PlanColumn[] | undefined

const COUNTS = new Set([
  ...[
    'count',
    'count_star',
    'count_if',
    'countif',
    'regr_count',
    'row_number',
    'rank',
    'rank_dense',
    'ntile',
  ],
  ...['length', 'len', 'strlen', 'array_length', 'date_diff', 'datediff', 'date_sub', 'datesub', 'year'],
  ...['quarter', 'month', 'week', 'day', 'dayofyear', 'dayofweek', 'isodow', 'hour', 'minute', 'second'],
])
const MEASURES = new Set([
  ...['sum', 'fsum', 'kahan_sum', 'avg', 'mean', 'favg', 'product', 'median', 'mad', 'quantile_cont', 'corr'],
  ...['stddev', 'stddev_pop', 'stddev_samp', 'variance', 'var_pop', 'var_samp', 'covar_pop', 'covar_samp'],
  ...['skewness', 'kurtosis', 'entropy', 'sem', 'regr_slope', 'regr_intercept', 'geomean', 'cume_dist'],
  ...['percent_rank', '+', '-', '*', '/', '//', '%', '**', '^', 'pow', 'power', 'sqrt', 'exp', 'ln', 'log'],
  ...['log2', 'log10', 'round', 'floor', 'ceil', 'ceiling', 'trunc', 'date_part', 'datepart', 'epoch'],
])
/** Give one of the values that they are given. DuckDB puts `first` around every scalar subquery. */
const PICKS = new Set(['min', 'max', 'greatest', 'least', 'abs', 'lag', 'lead', 'first', 'any_value'])

/** What an expression gives, by the columns that it reads. */
export function quantityOf(expression: Node, columns: PlanColumns): Quantity {
  switch (expression.expression_class) {
    case 'BOUND_REF': {
      const column = columns?.[Number(expression.index)]
      return column?.type === typeText(asNode(expression.return_type)) ? column.quantity : 'value'
    }
    case 'BOUND_CAST':
      return quantityOf(asNode(expression.child) ?? {}, columns)
    case 'BOUND_CASE': {
      const branches = nodesIn(expression.case_checks).map(({ then_expr }) => then_expr)
      return weakest(nodesIn([...branches, expression.else_expr]), columns)
    }
    case 'BOUND_OPERATOR':
      return expression.type === 'OPERATOR_COALESCE'
        ? weakest(nodesIn(expression.children), columns)
        : 'value'
    case 'BOUND_AGGREGATE':
    case 'BOUND_FUNCTION':
    case 'BOUND_WINDOW': {
      const name = functionOf(expression)
      if (COUNTS.has(name)) return 'count'
      if (MEASURES.has(name)) return 'measure'
      return PICKS.has(name) ? weakest(nodesIn(expression.children), columns) : 'value'
    }
    default:
      return 'value'
  }
}

/** Windows that are no aggregate have a kind in place of a name, such as WINDOW_ROW_NUMBER. */
function functionOf({ name, type }: Node): string {
  return typeof name === 'string' && name !== '' ? name : String(type).replace('WINDOW_', '').toLowerCase()
}

/** Of what may come, that which promises least. A constant may be anything, and an error is no value. */
function weakest(expressions: Node[], columns: PlanColumns): Quantity {
  const each = expressions
    .filter((expression) => !isConstant(expression) && expression.name !== 'error')
    .map((expression) => quantityOf(expression, columns))
  return weaker(each)
}

export function weaker(each: Quantity[]): Quantity {
  if (each.length === 0 || each.includes('value')) return 'value'
  return each.includes('measure') ? 'measure' : 'count'
}

const READS = new Set(['BOUND_REF', 'BOUND_COLUMN_REF', 'BOUND_SUBQUERY', 'BOUND_AGGREGATE', 'BOUND_WINDOW'])

/** Reads no row. */
export function isConstant(node: Node): boolean {
  return !READS.has(String(node.expression_class)) && childrenOf(node).every(isConstant)
}
