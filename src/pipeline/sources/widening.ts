/** Integer types with the bits of a value, without the sign. Narrow to wide. */
const SIGNED: [string, number][] = [
  ['TINYINT', 7],
  ['SMALLINT', 15],
  ['INTEGER', 31],
  ['BIGINT', 63],
  ['HUGEINT', 127],
]
const UNSIGNED: [string, number][] = [
  ['UTINYINT', 8],
  ['USMALLINT', 16],
  ['UINTEGER', 32],
  ['UBIGINT', 64],
]
const DECIMAL = /^DECIMAL\((\d+),(\d+)\)$/
/** The most digits that a DECIMAL has. */
const DIGITS = 38

/**
 * The narrowest type that holds every value of both, undefined where there is none, or where a value would become
 * another kind of thing: integers stay integers, and an instant is no wall time. UBIGINT beside a signed integer is
 * HUGEINT, which no partition holds: its SQL has to cast it.
 */
export function widerType(a: string, b: string): string | undefined {
  if (a === b) return a
  if (a.endsWith('[]') && b.endsWith('[]')) {
    const element = widerType(a.slice(0, -2), b.slice(0, -2))
    return element === undefined ? undefined : `${element}[]`
  }
  const both = new Set([a, b])
  if (both.has('FLOAT') && both.has('DOUBLE')) return 'DOUBLE'
  if (both.has('TIMESTAMP') && both.has('TIMESTAMP_NS')) return 'TIMESTAMP_NS'
  return widerInteger(a, b) ?? widerDecimal(a, b)
}

function widerInteger(a: string, b: string): string | undefined {
  const bits = (type: string, types: [string, number][]) => types.find(([name]) => name === type)?.[1]
  const unsigned = [bits(a, UNSIGNED), bits(b, UNSIGNED)]
  const signed = [bits(a, SIGNED), bits(b, SIGNED)]
  if ([a, b].some((_, index) => (unsigned[index] ?? signed[index]) === undefined)) return undefined
  const types = signed.every((each) => each === undefined) ? UNSIGNED : SIGNED
  const needed = Math.max(...[...unsigned, ...signed].map((each) => each ?? 0))
  return types.find(([, has]) => has >= needed)?.[0]
}

function widerDecimal(a: string, b: string): string | undefined {
  const [first, second] = [DECIMAL.exec(a), DECIMAL.exec(b)]
  if (first === null || second === null) return undefined
  const parts = [first, second].map(([, width, scale]) => ({ width: Number(width), scale: Number(scale) }))
  const scale = Math.max(...parts.map((each) => each.scale))
  const width = scale + Math.max(...parts.map((each) => each.width - each.scale))
  return width > DIGITS ? undefined : `DECIMAL(${width},${scale})`
}
