import { prunable } from '../ledger/connection/prunable.ts'

/** What the gate said on a day; the newest answer about each model stays. Promotions keep theirs in the history. */
export const oldDailyGates = prunable({
  old: `select g.model, g.day from nightshift.daily_gates g
         where g.at < $1 and exists (select from nightshift.daily_gates n where n.model = g.model and n.day > g.day)`,
  prune: 'delete from nightshift.daily_gates g using chosen c where g.model = c.model and g.day = c.day',
})

/** Searches for leaks. The gate takes none that is older than 30 days, and retention is never shorter. */
export const oldLeakChecks = prunable({
  old: 'select l.id from nightshift.leak_checks l where l.checked_at < $1',
  prune: 'delete from nightshift.leak_checks l using chosen c where l.id = c.id',
})
