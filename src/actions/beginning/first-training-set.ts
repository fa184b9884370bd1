import { Temporal } from 'temporal-polyfill'
import type { Proposal } from '../../pipeline/beginning/propose-sources.ts'

/**
 * The options of the first `dataset`: as-ofs with something before them and a whole label window of `window` days after them,
 * and a holdout. That is the last as-of where others are at least a window older, else a fifth of the entities.
 */
export function firstTrainingSet({ tables }: Proposal, asOf: string, window: number): string {
  const timed = tables.flatMap(({ isState, rows, span }) =>
    span === undefined ? [] : [{ isState, rows, ...span }],
  )
  // Labels are of the table where most happens; a state may have begun long before anything was recorded.
  const [events] = timed.filter(({ isState }) => !isState).toSorted((a, b) => b.rows - a.rows)
  const spans = events === undefined ? timed : [events]
  const days = (text: string) => Temporal.PlainDate.from(text.slice(0, 10))
  const [first] = spans.map((span) => days(span.first)).sort(Temporal.PlainDate.compare)
  const [end = days(asOf)] = [...spans.map((span) => days(span.last)), days(asOf)].sort(
    Temporal.PlainDate.compare,
  )
  // A day less: the newest row may be of the morning, and its day another one in the project's zone.
  const last = spans.length === 0 ? end.subtract({ days: window }) : end.subtract({ days: window + 1 })
  const begin = first === undefined ? last : beginOf(first, last)
  const since = begin.until(last, { largestUnit: 'day' }).days
  const [every, step] = since >= 120 ? ['1mo', { months: 1 }] : ['7d', { days: 7 }]
  // The last as-of is one of the grid; months are counted from a day that each of them has.
  const to = every === '1mo' ? last.with({ day: Math.min(last.day, 28) }) : last
  let from = to
  for (let at = to; Temporal.PlainDate.compare(at, begin) >= 0; at = at.subtract(step)) from = at
  const isSplit = from.until(to, { largestUnit: 'day' }).days >= window && !from.equals(to)
  return `--from ${from} --to ${to} --every ${every} ${isSplit ? `--holdout-from ${to}` : '--holdout-groups 0.2'}`
}

/** After 90 days features have something to count; of a shorter time after a third of it. */
function beginOf(first: Temporal.PlainDate, last: Temporal.PlainDate): Temporal.PlainDate {
  const days = first.until(last, { largestUnit: 'day' }).days
  return first.add({ days: Math.max(2, Math.min(90, Math.floor(days / 3))) })
}
