const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** How long something takes: `350 ms`, `12.3 s`, `4 min 10 s`, `25 h`, `3 days 4 h`. The two largest units. */
export function duration(ms: number): string {
  const tenths = Math.round(ms / 100) / 10
  if (ms < 0) return `-${duration(-ms)}`
  if (Math.round(ms) < SECOND) return `${Math.round(ms)} ms`
  if (tenths < 60) return `${tenths} s`
  const seconds = Math.round(ms / SECOND)
  if (seconds < HOUR / SECOND) return inUnits(seconds * SECOND, [MINUTE, 'min'], [SECOND, 's'])
  const minutes = Math.round(ms / MINUTE)
  if (minutes < (2 * DAY) / MINUTE) return inUnits(minutes * MINUTE, [HOUR, 'h'], [MINUTE, 'min'])
  return inUnits(Math.round(ms / HOUR) * HOUR, [DAY, 'days'], [HOUR, 'h'])
}

/** How long ago something was, or how long until it is: whole seconds, whole minutes, then as `duration`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / SECOND))
  if (seconds < 60) return `${seconds} s`
  return duration(Math.max(0, Math.round(ms / MINUTE)) * MINUTE)
}

type Unit = [ms: number, name: string]

function inUnits(ms: number, [large, name]: Unit, [small, smallName]: Unit): string {
  const whole = `${Math.floor(ms / large)} ${name}`
  const rest = Math.round((ms % large) / small)
  return rest === 0 ? whole : `${whole} ${rest} ${smallName}`
}
