import { Cron } from 'croner'
import { type ZoneArithmetic, zoneArithmetic } from './zone.ts'

/** One time at which a schedule fires. */
export interface Tick {
  /** Milliseconds since 1970. */
  instant: number
  /** The wall time that the cron names, such as `2026-11-22 02:00`. */
  wall: string
  /** `gap`: the wall time does not exist, this is the first instant after it. `twice`: it exists twice, this is the first. */
  kind: 'once' | 'gap' | 'twice'
}

const FIELDS = 'minute hour day-of-month month weekday'

/** Says why a text is no cron of ours, or undefined where it is one: five fields, no `?`, no `@daily`. */
export function cronFault(cron: string): string | undefined {
  const fields = cron.trim().split(/\s+/)
  if (fields.length === 6) return `has six fields: seconds are not supported (${FIELDS})`
  if (fields.length !== 5)
    return `has ${fields[0] === '' ? 'no' : fields.length} field${fields.length === 1 ? '' : 's'} instead of five (${FIELDS})`
  // croner reads `?` as the moment it looks: the calendar would differ from one start of the scheduler to the next.
  if (cron.includes('?')) return 'has a `?`, which means another time whenever it is read: use `*`'
  try {
    const pattern = new Cron(cron, { mode: '5-part', utcOffset: 0 })
    return pattern.nextRun(new Date()) === null ? 'names a time that never comes' : undefined
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    return `is not valid: ${message.replace(/^CronPattern: /, '')}`
  }
}

/** True where minute and hour are one number each: such a tick survives a gap, and happens once where it exists twice. */
export function isFixedTime(cron: string): boolean {
  return /^\d+\s+\d+\s/.test(cron.trim())
}

/**
 * The ticks of a valid cron in a zone, from `from` (inclusive) to before `to`, in milliseconds since 1970.
 *
 * Fixed times follow the product's rule for changes of clocks: a time that does not exist ticks at the first instant
 * after the gap, one that exists twice ticks at the first. Other patterns tick at each real match. The same instants as
 * croner gives with a zone (a test holds that), at a seventh of the cost: 5 ms for a year of nights.
 */
export function* ticks(cron: string, timezone: string, from: number, to: number): Generator<Tick> {
  const zone = zoneArithmetic(timezone, from, to)
  const pattern = new Cron(cron, { mode: '5-part', utcOffset: 0 })
  const fixed = isFixedTime(cron)
  // The second occurrences of a repeated hour come after all first ones: they wait here for their turn.
  let repeated: Tick[] = []
  // A wall time lies at most a day from its instant; the ends are cut by instant.
  let wall = pattern.nextRun(new Date(from - 86_400_000))
  for (; wall !== null && wall.getTime() < to + 86_400_000; wall = pattern.nextRun(wall)) {
    const [first, second] = onClock(zone, wall, fixed)
    if (first === undefined) continue
    for (const tick of [...repeated.filter(({ instant }) => instant < first.instant), first]) {
      if (tick.instant >= from && tick.instant < to) yield tick
    }
    repeated = repeated.filter(({ instant }) => instant > first.instant)
    if (second !== undefined) repeated.push(second)
  }
  for (const tick of repeated) if (tick.instant >= from && tick.instant < to) yield tick
}

function onClock(zone: ZoneArithmetic, wall: Date, fixed: boolean): Tick[] {
  const at = zone.fromWall(wall.getTime())
  const text = wall.toISOString().slice(0, 16).replace('T', ' ')
  if (at.kind === 'gap') return fixed ? [{ instant: at.instant, wall: text, kind: 'gap' }] : []
  const first: Tick = { instant: at.instant, wall: text, kind: at.kind }
  return at.kind === 'once' || fixed ? [first] : [first, { ...first, instant: at.second }]
}
