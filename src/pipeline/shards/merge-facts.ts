import type { UnknownValues } from '../engine/facts.ts'
import type { Tally } from '../scoring/tally.ts'

const EXAMPLES = 5

/** What is known of the scores of all shards. The mean may differ in its last bits from one that is added up row by row. */
export function mergeTallies(tallies: readonly Tally[]): Tally {
  const finite = ({ rows, notFinite }: Tally) => rows - notFinite
  const sum = (value: (tally: Tally) => number) => tallies.reduce((all, each) => all + value(each), 0)
  const known = (value: (tally: Tally) => number | undefined) => tallies.flatMap((each) => value(each) ?? [])
  const rows = sum((each) => each.rows)
  const notFinite = sum((each) => each.notFinite)
  const positives = known(({ positive }) => positive)
  const lowest = known(({ min }) => min)
  const highest = known(({ max }) => max)
  return {
    rows,
    notFinite,
    outside: sum((each) => each.outside),
    mean:
      rows === notFinite ? undefined : sum((each) => (each.mean ?? 0) * finite(each)) / (rows - notFinite),
    min: lowest.length === 0 ? undefined : Math.min(...lowest),
    max: highest.length === 0 ? undefined : Math.max(...highest),
    positive: positives.length === 0 ? undefined : positives.reduce((all, each) => all + each, 0),
  }
}

/** Unknown values of all shards, column by column. Examples are the commonest among those of the shards. */
export function mergeUnknown(shards: readonly UnknownValues[][]): UnknownValues[] {
  const [first = []] = shards
  return first.map((own) => {
    const all = shards.flatMap((each) => each.find(({ column }) => column === own.column) ?? [])
    const counts = new Map<string, number>()
    for (const { value, rows } of all.flatMap(({ examples }) => examples))
      counts.set(value, (counts.get(value) ?? 0) + rows)
    const examples = [...counts]
      .map(([value, rows]) => ({ value, rows }))
      .sort((a, b) => b.rows - a.rows || (a.value < b.value ? -1 : 1))
      .slice(0, EXAMPLES)
    return {
      ...own,
      rows: all.reduce((sum, { rows }) => sum + rows, 0),
      unknown: all.reduce((sum, { unknown }) => sum + unknown, 0),
      examples,
    }
  })
}
