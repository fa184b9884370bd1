import type { SchemaElement, SchemaTree } from 'hyparquet'

/**
 * DuckDB's name for the type of a column that DuckDB wrote, read from the file's schema alone. Undefined for what
 * partitions never hold.
 */
export function duckdbType({ element, children }: SchemaTree): string | undefined {
  if (children.length > 0) return undefined
  const { type, converted_type, logical_type, precision, scale } = element
  if (converted_type === 'DECIMAL') return `DECIMAL(${precision},${scale ?? 0})`
  switch (type) {
    case 'BOOLEAN':
    case 'FLOAT':
    case 'DOUBLE':
      return type
    case 'BYTE_ARRAY':
      return converted_type === 'UTF8' || logical_type?.type === 'STRING' ? 'VARCHAR' : 'BLOB'
    case 'INT32':
      return converted_type === 'DATE' ? 'DATE' : (INTEGERS[converted_type ?? 'INT_32'] ?? undefined)
    case 'INT64':
      return timestampType(element) ?? INTEGERS[converted_type ?? 'INT_64'] ?? undefined
    default:
      return undefined
  }
}

const INTEGERS: Record<string, string> = {
  INT_8: 'TINYINT',
  INT_16: 'SMALLINT',
  INT_32: 'INTEGER',
  INT_64: 'BIGINT',
  UINT_8: 'UTINYINT',
  UINT_16: 'USMALLINT',
  UINT_32: 'UINTEGER',
  UINT_64: 'UBIGINT',
}

function timestampType({ converted_type, logical_type }: SchemaElement): string | undefined {
  if (logical_type?.type === 'TIMESTAMP')
    return logical_type.isAdjustedToUTC ? 'TIMESTAMP WITH TIME ZONE' : 'TIMESTAMP'
  return converted_type?.startsWith('TIMESTAMP_') === true ? 'TIMESTAMP' : undefined
}
