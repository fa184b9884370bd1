import pg from 'pg'

const { builtins } = pg.types

/** Ids, counts and sizes: all are below 2^53, so that they are numbers and not texts. */
const NUMBERS: number[] = [builtins.INT8, builtins.NUMERIC]

/** How the ledger's connections read values: the only conversion of numbers. */
export const VALUE_TYPES: pg.CustomTypesConfig = {
  getTypeParser: (type, format) =>
    NUMBERS.includes(type) && format !== 'binary' ? Number : pg.types.getTypeParser(type, format),
}
