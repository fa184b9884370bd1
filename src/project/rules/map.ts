import type { Fault } from '../files/entry.ts'
import { dotted } from '../files/explain-fault.ts'

/* Rules read the file as written: any value may have any type. */

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function entriesOf(value: unknown): [string, unknown][] {
  return isMap(value) ? Object.entries(value) : []
}

/** `min` over `max` in the map at a path. */
export function minOverMax(bounds: unknown, path: PropertyKey[]): Fault[] {
  if (!isMap(bounds)) return []
  const { min, max } = bounds
  if (typeof min !== 'number' || typeof max !== 'number' || min <= max) return []
  return [
    {
      path: [...path, 'min'],
      message: `${dotted(path)} has min ${min} and max ${max}: the range is empty; swap them`,
    },
  ]
}
