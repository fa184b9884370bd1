import { viewsOf } from './calendar.ts'
import type { Board, LedgerSlot, LedgerView } from './ledger-view.ts'

/** All views that a night refreshes: those of the champion's scores and those of the versions in shadow. */
export function refreshedViews({ project, views, shadow = {} }: LedgerView): LedgerView['views'] {
  const models = Object.entries(shadow).map(([model, more]) => [
    model,
    [...new Set([...viewsOf(project, model, views), ...more])],
  ])
  return { ...views, ...Object.fromEntries(models) }
}

/**
 * Views that only versions in shadow need. Nobody reads their features, so they have no deadline; they run in the
 * queues of backfills, after the champion's scores.
 */
export function shadowOnlyViews({ project, views, shadow = {} }: LedgerView): ReadonlySet<string> {
  const only = new Set(Object.values(shadow).flat())
  if (only.size === 0) return only
  for (const { score, refresh } of Object.values(project.schedules)) {
    for (const name of [...refresh, ...score.flatMap((model) => viewsOf(project, model, views))])
      only.delete(name)
  }
  return only
}

const UNDER_WAY: ReadonlySet<LedgerSlot['state']> = new Set(['expected', 'queued', 'running', 'publishing'])

/** Labels of nights whose scores by a champion are still to come or being computed. */
export function nightsUnderWay({ champions }: LedgerView, board: Board): ReadonlySet<string> {
  const labels = new Set<string>()
  for (const slot of board.values()) {
    if (slot.kind === 'scores' && champions[slot.name] !== undefined && UNDER_WAY.has(slot.state))
      labels.add(slot.partition)
  }
  return labels
}
