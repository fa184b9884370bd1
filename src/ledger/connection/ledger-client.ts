import pg from 'pg'
import { storable } from './storable-text.ts'

/** A connection of the ledger's pool: what is handed to a statement is made storable first. */
export class LedgerClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config)
    const query: unknown = this.query.bind(this)
    const made = (...given: unknown[]): unknown =>
      typeof query === 'function' ? Reflect.apply(query, undefined, given.map(argument)) : undefined
    Object.defineProperty(this, 'query', { value: made })
  }
}

/** A statement's parameters stand beside its text or, with it, in one object. Statements of a class of their own are let be. */
function argument(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(storable)
  if (typeof given !== 'object' || given === null || 'submit' in given || !('values' in given)) return given
  return { ...given, values: argument(given.values) }
}
