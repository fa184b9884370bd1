import type { Mark } from '../../../charts/night-axis.ts'
import type { ModelNight } from '../../../ledger/nights/model-nights.ts'
import type { ShadowNights } from '../../../monitoring/shadow/record.ts'
import type { HistoryEntry } from '../../../registry/history-records.ts'

type Change = Pick<HistoryEntry, 'event' | 'version'> & { at: string }

/**
 * Changes within a window of nights, by position: a champion at the first night whose as-of is not before the change, a
 * challenger at the first night that it scored. Changes outside the window are left out.
 */
export function marksOf(
  nights: Pick<ModelNight, 'as_of'>[],
  changes: Change[],
  shadows: Pick<ShadowNights, 'version' | 'role' | 'first'>[],
): Mark[] {
  const from = (instant: string) => nights.findIndex(({ as_of }) => as_of >= new Date(instant).toISOString())
  const champions = changes.map(({ event, version, at }) => ({
    at: from(at),
    text: event === 'rolled back' ? `back to v${version}` : `v${version}`,
    kind: 'champion' as const,
  }))
  const challengers = shadows
    .filter(({ role }) => role === 'challenger')
    .map(({ version, first }) => ({
      at: from(first),
      text: `v${version} in shadow`,
      kind: 'challenger' as const,
    }))
  return [...challengers, ...champions].filter(({ at }) => at > 0).toSorted((a, b) => a.at - b.at)
}
