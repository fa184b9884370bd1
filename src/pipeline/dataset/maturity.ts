import { Temporal } from 'temporal-polyfill'
import type { Source } from '../../project/project.ts'
import { traitsOf } from '../../project/source-kinds.ts'
import type { LabelWindow } from '../../project/time/label-window.ts'
import { showInstant } from '../cut/wall-time.ts'
import { isKeyed, keyInstant, spanOf, timeName } from '../sources/admitted.ts'
import type { FoundSource } from '../sources/sources.ts'

/** The newest event of a source by its footers and paths, undefined where they say none. */
export interface Newest {
  source: string
  at: string
}

/**
 * The newest event of each source that has a time: of a history the newest beginning or end of a row. Statistics of
 * the footers alone are asked; a source that has none leaves the question open, and is not among them.
 */
export function newestEvents(sources: FoundSource[]): Newest[] {
  return sources.flatMap((found) => {
    const instants = found.files.flatMap((file) => {
      if (isKeyed(found)) {
        const key = timeName(found.source)
        return key === undefined ? [] : (keyInstant(found, file, key) ?? [])
      }
      return timeNames(found.source).flatMap((name) => {
        const at = spanOf(found, file, name)?.last
        // `9999-12-31` and infinity are ways to say never.
        return at !== undefined && at < NEVER ? [at] : []
      })
    })
    const newest = instants.reduce<bigint | undefined>(
      (a, b) => (a === undefined || b > a ? b : a),
      undefined,
    )
    return newest === undefined ? [] : [{ source: found.name, at: showInstant(newest) }]
  })
}

/**
 * Up to when labels can be known: by the newest event of each source that they read. A history may not change for
 * months, so only other sources count if there are any.
 */
export function knownUntil(sources: FoundSource[]): Newest[] {
  const going = newestEvents(sources.filter(({ source }) => traitsOf(source).rows !== 'latest-of-key'))
  return going.length > 0 ? going : newestEvents(sources)
}

const NEVER = BigInt(Date.parse('2200-01-01T00:00:00Z')) * 1000n

function timeNames(source: Source): string[] {
  const { time, end } = traitsOf(source)
  return [time, end].flatMap((each) => each?.name ?? [])
}

/** Why a window is not over, undefined where it is. */
export function immature({ complete, end }: LabelWindow, now: string, newest: Newest[]): string | undefined {
  const after = (a: string, b: string) => Temporal.Instant.compare(a, b) > 0
  const until = complete === end.instant ? complete : `${end.instant}, complete at ${complete}`
  if (after(complete, now)) return `its label window ends at ${until}, which is in the future`
  const short = newest.find(({ at }) => after(complete, at))
  return short === undefined
    ? undefined
    : `its label window ends at ${until}, but the newest event of source ${short.source} is at ${short.at}`
}
