import pg from 'pg'
import { storable } from './storable-text.ts'

/** A connection of the ledger's pool: statement parameters are made storable first. */
export class LedgerClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config)
    const query: unknown = this.query.bind(this)
    const made = (...given: unknown[]): unknown =>
      typeof query === 'function' ? Reflect.apply(query, undefined, given.map(argument)) : undefined
    Object.defineProperty(this, 'query', { value: made })
  }
}

/**
 * A statement's parameters are passed next to its text or together with it in one object. Statements of their own
 * class are unchanged.
 */
function argument(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(storable)
  if (typeof given !== 'object' || given === null || 'submit' in given || !('values' in given)) return given
  return { ...given, values: argument(given.values) }
}
