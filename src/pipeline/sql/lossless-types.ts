import { asNode, type Node, nodesIn } from './syntax.ts'

/** A type of a bound plan, as SQL writes it. */
export function typeText(type: Node | undefined): string {
  const info = asNode(type?.type_info)
  const id = String(type?.id)
  if (id === 'DECIMAL') return `DECIMAL(${String(info?.width)},${String(info?.scale)})`
  if (id === 'LIST') return `${typeText(asNode(info?.child_type))}[]`
  if (id === 'STRUCT') {
    const members = nodesIn(info?.child_types)
    return `STRUCT(${members.map(({ first, second }) => `${String(first)} ${typeText(asNode(second))}`.trim()).join(', ')})`
  }
  return id
}

/** Bits of the integers' magnitude. */
const INTEGERS: Record<string, number> = {
  ...{ TINYINT: 7, UTINYINT: 8, SMALLINT: 15, USMALLINT: 16, INTEGER: 31, UINTEGER: 32 },
  ...{ BIGINT: 63, UBIGINT: 64, HUGEINT: 127, UHUGEINT: 128 },
}
const TEXTS = new Set(['VARCHAR', 'ENUM'])
/** Bits of a float's mantissa, and decimal digits that it keeps apart. */
const FLOATS: Record<string, { bits: number; digits: number }> = {
  FLOAT: { bits: 24, digits: 6 },
  DOUBLE: { bits: 53, digits: 15 },
}

/**
 * True where values of a type that differ may be equal, or be none, in another: BIGINT as DOUBLE, text as a number. What
 * DuckDB widens without a loss, such as INTEGER to DOUBLE or DATE to TIMESTAMP, is none of that.
 */
export function loses(from: Node | undefined, to: Node | undefined): boolean {
  const [source, target] = [String(from?.id), String(to?.id)]
  const [before, after] = [asNode(from?.type_info), asNode(to?.type_info)]
  if (source === 'STRUCT') {
    const [own, other] = [nodesIn(before?.child_types), nodesIn(after?.child_types)]
    return own.some((member, index) => loses(asNode(member.second), asNode(other[index]?.second)))
  }
  if (source === 'LIST' || source === 'ARRAY' || source === 'MAP')
    return loses(asNode(before?.child_type), asNode(after?.child_type))
  if (TEXTS.has(source)) return !TEXTS.has(target) && target !== 'BLOB'
  const float = FLOATS[target]
  const bits = INTEGERS[source]
  if (float !== undefined && bits !== undefined) return bits > float.bits
  if (float !== undefined && source === 'DECIMAL')
    return target === 'FLOAT' || Number(before?.width) > float.digits
  if (source in FLOATS) return !(target in FLOATS) || (source === 'DOUBLE' && target === 'FLOAT')
  return target === 'VARCHAR' && (bits !== undefined || source === 'DECIMAL')
}
