import pg from 'pg'

const { builtins } = pg.types

/** Ids, counts and sizes: all are below 2^53, so that they are numbers and not texts. */
const NUMBERS: number[] = [builtins.INT8, builtins.NUMERIC]

const parseDate = pg.types.getTypeParser(builtins.TIMESTAMPTZ)

/** How the ledger's connections read values: numbers as numbers, instants as ISO 8601 in UTC with milliseconds. */
export const VALUE_TYPES: pg.CustomTypesConfig = {
  getTypeParser(type, format) {
    if (format === 'binary') return pg.types.getTypeParser(type, format)
    if (NUMBERS.includes(type)) return Number
    if (type === builtins.TIMESTAMPTZ) return toIso
    return pg.types.getTypeParser(type, format)
  },
}

/** An instant that the ledger returned, to calculate with. */
export function dateOf(instant: string | null): Date | undefined {
  return instant === null ? undefined : new Date(instant)
}

/** A time that the server prints in its own zone. */
function toIso(text: string): string {
  const date: Date = parseDate(text)
  return date.toISOString()
}
