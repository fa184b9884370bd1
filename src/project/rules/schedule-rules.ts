import type { Fault } from '../files/entry.ts'
import { readDuration } from '../time/duration.ts'

/** Rules over several keys of one schedule. */
export function scheduleRules(data: Record<string, unknown>): Fault[] {
  return [...purpose(data), ...deadline(data), ...drills(data)]
}

function purpose(data: Record<string, unknown>): Fault[] {
  const { score, refresh } = data
  if (score !== undefined && refresh !== undefined) {
    const message =
      'a schedule has score or refresh, got both: score already refreshes the views of its models; move refresh to a separate schedule'
    return [{ path: ['refresh'], key: true, message }]
  }
  if (score !== undefined || refresh !== undefined) return []
  return [
    {
      path: [],
      message: 'a schedule needs `score: [model]` or `refresh: [view]`, got neither: it would do nothing',
    },
  ]
}

/** A drill is one of a model. */
function drills({ drills: given, score }: Record<string, unknown>): Fault[] {
  if (given === undefined || score !== undefined) return []
  const message =
    'drills are of the models that a schedule scores, and this one scores none: move them to one with `score`'
  return [{ path: ['drills'], key: true, message }]
}

function deadline({ deadline: given, grain }: Record<string, unknown>): Fault[] {
  if (typeof given !== 'string' || given.trim() === '' || /^([01]\d|2[0-3]):[0-5]\d$/.test(given)) return []
  const hourly = grain === 'hour'
  const after = given.startsWith('+') ? readDuration(given.slice(1)) : undefined
  if (hourly && after !== undefined && after.ms > 0) return []
  const legal = hourly
    ? 'a duration after the tick such as "+20m", or a time such as "06:00"'
    : 'a time of the day such as "06:00" (two digits each, 00:00 to 23:59)'
  const near = /^\d:[0-5]\d$/.test(given)
    ? `0${given}`
    : hourly && readDuration(given) !== undefined
      ? `+${given}`
      : undefined
  const meant = near === undefined ? '' : `; did you mean "${near}"?`
  return [{ path: ['deadline'], message: `expected deadline to be ${legal}, got: "${given}"${meant}` }]
}
