/** Where the ledger's tables are in its database, unless `schema:` in nightshift.yaml says otherwise. */
export const DEFAULT_SCHEMA = 'nightshift'

/** The schema of the queues in PostgreSQL: it may be dropped, and is made again. */
export function queueSchema(schema: string): string {
  return `${schema}_queues`
}

/** The schema's name by itself or before a dot, in SQL or at the beginning of a text in SQL. */
const NAMED = /('?)\bnightshift\b(?=[.;'\s]|$)/g

/**
 * A statement of the ledger as it reads in another schema: all are written for `nightshift`, migrations too, whose files
 * never change. Names of schemas are a to z, 0 to 9 and _ (settings-schema.ts), so that they need no escaping.
 */
export function inSchema(sql: string, schema: string): string {
  if (schema === DEFAULT_SCHEMA) return sql
  return sql.replace(NAMED, (_, quote: string) => (quote === '' ? `"${schema}"` : `'${schema}`))
}
