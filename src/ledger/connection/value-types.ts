import pg from 'pg'

const { builtins } = pg.types

/** Ids, counts and sizes: all are below 2^53, so that they are numbers and not texts. */
const NUMBERS: number[] = [builtins.INT8, builtins.NUMERIC]

const parseDate: (text: string) => Date = pg.types.getTypeParser(builtins.TIMESTAMPTZ)

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

const UTC = '+00'
/** `2026-11-30 23:10:43`, before a fraction of up to six digits and the zone. */
const SECONDS = 19

/**
 * A time that the server prints in its own zone. Where that is UTC the text is only put together anew: a page reads thousands
 * of times, and parsing took a tenth of it.
 */
export function toIso(text: string): string {
  if (!text.endsWith(UTC) || text[10] !== ' ' || text[4] !== '-') return parseDate(text).toISOString()
  const milliseconds = text
    .slice(SECONDS + 1, -UTC.length)
    .slice(0, 3)
    .padEnd(3, '0')
  return `${text.slice(0, 10)}T${text.slice(11, SECONDS)}.${milliseconds}Z`
}
