import { Temporal } from 'temporal-polyfill'
import type { Duration } from '../../project/project.ts'
import { type AsOf, addDays, asOfContaining } from '../../project/time/asof.ts'
import { labelWindow } from '../../project/time/label-window.ts'
import { showInstant } from '../cut/wall-time.ts'
import { immature, newestEvents } from '../dataset/maturity.ts'
import { isKeyed, keyInstant, spanOf, timeName } from '../sources/admitted.ts'
import type { FoundSource } from '../sources/sources.ts'

const DAY_MS = 86_400_000

/**
 * As-ofs to check where none is named: the newest whose label window is over, and two before it, at two thirds and one
 * third of the time that the sources cover together. Empty where they cover none.
 */
export function spreadAsOfs(
  sources: FoundSource[],
  timezone: string,
  now: string,
  labels: { horizon: Duration; lag: Duration; sources: string[] } | undefined,
): AsOf[] {
  const newest = newestEvents(sources)
  const ends = (
    labels === undefined ? newest : newest.filter(({ source }) => labels.sources.includes(source))
  ).map(({ at }) => Date.parse(at))
  const starts = sources.map(oldest).filter((at) => at !== undefined)
  if (newest.length === 0 || starts.length === 0) return []
  const end = Math.min(...(ends.length > 0 ? ends : newest.map(({ at }) => Date.parse(at))), Date.parse(now))
  let last = asOfContaining(Temporal.Instant.fromEpochMilliseconds(end), timezone, 'day')
  if (labels !== undefined) {
    const bound = newest.filter(({ source }) => labels.sources.includes(source))
    last = addDays(last, -(labels.horizon.days ?? Math.floor(labels.horizon.ms / DAY_MS)), timezone)
    for (let tries = 0; tries < 400; tries++) {
      if (immature(labelWindow(last, labels, timezone), now, bound) === undefined) break
      last = addDays(last, -1, timezone)
    }
  }
  // A source that begins late (one load, say) shall not leave the others without a past.
  const begin = [Math.max(...starts), Math.min(...starts)].find((at) => at < Date.parse(last.instant)) ?? end
  const days = Math.max(0, Math.floor((Date.parse(last.instant) - begin) / DAY_MS))
  const found = [Math.round((2 * days) / 3), Math.round(days / 3), 0].map((back) =>
    addDays(last, -back, timezone),
  )
  return found.filter(({ label }, index) => found.findIndex((other) => other.label === label) === index)
}

/** Milliseconds since 1970 of the first row by the footers and paths; undefined where they say none. */
function oldest(found: FoundSource): number | undefined {
  const name = timeName(found.source)
  if (name === undefined) return undefined
  const instants = found.files.flatMap((file) => {
    if (isKeyed(found)) return keyInstant(found, file, name) ?? []
    return spanOf(found, file, name)?.first ?? []
  })
  const first = instants.reduce<bigint | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined)
  return first === undefined ? undefined : Date.parse(showInstant(first))
}
