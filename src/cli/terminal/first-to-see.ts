import { count } from '../../format/numbers.ts'
import type { Slot } from '../../ledger/nights/slots.ts'

interface Night {
  state: Slot['state']
  late: boolean
  stale: string | null
}

/** Nights in these states need nobody. */
export const QUIET: readonly Slot['state'][] = ['published', 'skipped', 'expected']

/**
 * As many rows as fit a screen, in the order of the calendar: nights that are open or late, then the newest of the others,
 * then those that are still to come, the next ones first.
 */
export function firstToSee<Row extends Night>(rows: Row[], limit: number): Row[] {
  const rank = (row: Row) => (row.late || !QUIET.includes(row.state) ? 0 : row.state === 'expected' ? 2 : 1)
  const byRank = [0, 1, 2].map((each) => rows.filter((row) => rank(row) === each))
  const chosen = new Set(
    [...(byRank[0] ?? []), ...(byRank[1] ?? []), ...(byRank[2] ?? []).toReversed()].slice(0, limit),
  )
  return rows.filter((row) => chosen.has(row))
}

/** `and 646 more: 365 published, 279 published and stale, 2 expected. ...`. */
export function leftOut(rows: Night[], shown: Night[], name: string | undefined): string {
  const rest = new Set(rows)
  for (const row of shown) rest.delete(row)
  const states = new Map<string, number>()
  for (const { state, late, stale } of rest) {
    const text = `${state}${late ? ' late' : ''}${stale === null ? '' : ' and stale'}`
    states.set(text, (states.get(text) ?? 0) + 1)
  }
  const counts = [...states].map(([state, nights]) => `${count(nights)} ${state}`).join(', ')
  return `and ${count(rest.size)} more: ${counts}${name === undefined ? '; of one model: nightshift status MODEL' : ''}; all: --limit ${rows.length}`
}
