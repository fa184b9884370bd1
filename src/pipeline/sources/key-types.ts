import type { KeyType } from '../../project/project.ts'
import type { Failure } from '../engine/failure.ts'
import { HIVE_NULL } from './glob.ts'
import { contract, type FoundSource } from './sources.ts'

/** What a key of a type looks like. DuckDB would read more as a date or a number, and print it otherwise. */
const FORMS: Record<KeyType, { fits: (value: string) => boolean; legal: string }> = {
  VARCHAR: { fits: () => true, legal: 'a text' },
  INTEGER: { fits: (value) => /^-?\d{1,10}$/.test(value), legal: 'a whole number' },
  BIGINT: { fits: (value) => /^-?\d{1,18}$/.test(value), legal: 'a whole number' },
  DATE: { fits: isDate, legal: 'a date such as 2026-11-21' },
  BOOLEAN: { fits: (value) => /^(?:true|false)$/i.test(value), legal: 'true or false' },
}

/**
 * The type of a folder's key: as declared, else as it was decided when the definition was first used, else by the
 * keys that lie on disk. `failure` names a file whose key is of another form.
 */
export function keyType(found: FoundSource, key: string): { type: KeyType; failure?: Failure } {
  const fixed = named(found.source.hive, key) ?? named(found.decidedKeys, key)
  if (fixed === undefined) return { type: typeOnDisk(found, key) }
  const { fits, legal } = FORMS[fixed]
  const strange = found.files.find(({ keys }) => {
    const value = keys.get(key) ?? ''
    return value !== HIVE_NULL && !fits(value)
  })
  if (strange === undefined) return { type: fixed }
  const since =
    named(found.source.hive, key) === undefined
      ? `which ${key} has been since this definition was first used; to have another, declare hive: { ${key}: VARCHAR } of the source`
      : `as hive.${key} of the source declares it (${fixed})`
  const why = `expected ${key}= to be ${legal}, ${since}; got: ${strange.keys.get(key)}`
  return { type: fixed, failure: contract(found.name, strange.shown, why) }
}

/** Text, unless every key is a date, or a whole number that is written as such: `09` is not. */
function typeOnDisk(found: FoundSource, key: string): KeyType {
  const values = found.files.map(({ keys }) => keys.get(key) ?? '').filter((value) => value !== HIVE_NULL)
  if (values.length === 0) return 'VARCHAR'
  if (values.every(isDate)) return 'DATE'
  return values.every((value) => /^(?:0|-?[1-9]\d{0,17})$/.test(value)) ? 'BIGINT' : 'VARCHAR'
}

/** Of the calendar: there is no 30 February. */
export function isDate(value: string): boolean {
  const midnight = /^\d{4}-\d{2}-\d{2}$/.test(value) ? Date.parse(`${value}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(value)
}

function named(types: Record<string, KeyType> | undefined, key: string): KeyType | undefined {
  return Object.entries(types ?? {}).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1]
}
