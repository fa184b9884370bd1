import { typeText } from './lossless-types.ts'
import { type PlanColumn, type PlanColumns, quantityOf, weaker } from './quantities.ts'
import { asNode, type Node, nodesIn } from './syntax.ts'

/** Columns of common tables, by the number that a plan gives the table. */
export type CommonTables = Map<number, PlanColumns>

/** The columns of an operator of a bound plan, in their order, from those of its children. */
export function columnsOf(operator: Node, children: PlanColumns[], tables: CommonTables): PlanColumns {
  const [left, right] = children
  switch (operator.type) {
    case 'LOGICAL_GET':
      return children.length > 0
        ? undefined
        : nodesIn(operator.column_indexes).map((_, at) => scanned(operator, at))
    case 'LOGICAL_PROJECTION':
      return computed(operator.expressions, left)
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY':
      return join(computed(operator.groups, left), computed(operator.expressions, left))
    case 'LOGICAL_WINDOW':
    case 'LOGICAL_UNNEST':
      return join(left, computed(operator.expressions, left))
    case 'LOGICAL_FILTER':
    case 'LOGICAL_DISTINCT':
    case 'LOGICAL_LIMIT':
    case 'LOGICAL_ORDER_BY':
      return left
    case 'LOGICAL_CROSS_PRODUCT':
    case 'LOGICAL_POSITIONAL_JOIN':
    case 'LOGICAL_COMPARISON_JOIN':
    case 'LOGICAL_ANY_JOIN':
    case 'LOGICAL_DELIM_JOIN':
    case 'LOGICAL_ASOF_JOIN':
      return joined(operator, left, right)
    case 'LOGICAL_UNION':
    case 'LOGICAL_EXCEPT':
    case 'LOGICAL_INTERSECT':
      return left?.map(({ quantity, type }, at) => ({
        quantity: weaker([quantity, right?.[at]?.quantity ?? 'value']),
        type,
      }))
    case 'LOGICAL_MATERIALIZED_CTE':
      return right
    case 'LOGICAL_CTE_REF':
      return tables.get(Number(operator.cte_index)) ?? values(operator.chunk_types)
    case 'LOGICAL_DELIM_GET':
      return values(operator.chunk_types)
    default:
      return undefined
  }
}

function joined({ join_type }: Node, left: PlanColumns, right: PlanColumns): PlanColumns {
  switch (join_type) {
    case 'SEMI':
    case 'ANTI':
      return left
    case 'MARK':
      return join(left, [{ quantity: 'value', type: 'BOOLEAN' }])
    case undefined:
    case 'INNER':
    case 'LEFT':
    case 'RIGHT':
    case 'OUTER':
    case 'SINGLE':
      return join(left, right)
    default:
      return undefined
  }
}

function join(left: PlanColumns, right: PlanColumns): PlanColumns {
  return left === undefined || right === undefined ? undefined : [...left, ...right]
}

function computed(expressions: unknown, columns: PlanColumns): PlanColumns {
  return nodesIn(expressions).map((each) => ({
    quantity: quantityOf(each, columns),
    type: typeText(asNode(each.return_type)),
  }))
}

function scanned({ returned_types, column_indexes }: Node, at: number): PlanColumn {
  const index = Number(nodesIn(column_indexes)[at]?.index)
  return { quantity: 'value', type: typeText(nodesIn(returned_types)[index]) }
}

function values(types: unknown): PlanColumns {
  return nodesIn(types).map((type) => ({ quantity: 'value', type: typeText(type) }))
}
