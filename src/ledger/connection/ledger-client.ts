import pg from 'pg'
import { DEFAULT_SCHEMA, inSchema } from './schema.ts'
import { storable } from './storable-text.ts'

/** A connection of the ledger's pool: statement parameters are made storable first. */
export class LedgerClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config)
    handing(this, (given) => given.map(argument))
  }
}

/** Connections whose statements, which name the schema `nightshift`, mean another one. */
export function clientIn(schema: string): typeof LedgerClient {
  if (schema === DEFAULT_SCHEMA) return LedgerClient
  return class extends LedgerClient {
    constructor(config?: string | pg.ClientConfig) {
      super(config)
      handing(this, ([statement, ...rest]) => [worded(statement, schema), ...rest])
    }
  }
}

/** Changes what is handed to a connection's `query`. */
function handing(client: pg.Client, change: (given: unknown[]) => unknown[]): void {
  const query: unknown = client.query.bind(client)
  const made = (...given: unknown[]): unknown =>
    typeof query === 'function' ? Reflect.apply(query, undefined, change(given)) : undefined
  Object.defineProperty(client, 'query', { value: made, configurable: true })
}

/** A statement is a text, or an object that has one. Statements of a class of their own are let be. */
function worded(statement: unknown, schema: string): unknown {
  if (typeof statement === 'string') return inSchema(statement, schema)
  if (typeof statement !== 'object' || statement === null || 'submit' in statement) return statement
  return 'text' in statement && typeof statement.text === 'string'
    ? { ...statement, text: inSchema(statement.text, schema) }
    : statement
}

/** A statement's parameters stand beside its text or, with it, in one object. Statements of a class of their own are let be. */
function argument(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(storable)
  if (typeof given !== 'object' || given === null || 'submit' in given || !('values' in given)) return given
  return { ...given, values: argument(given.values) }
}
