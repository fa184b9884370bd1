import type { Logger } from 'pino'
import { oldMails } from '../alerts/delivery/prune-mails.ts'
import { ledgerNow } from '../ledger/connection/ledger-clock.ts'
import type { Prunable } from '../ledger/connection/prunable.ts'
import { oldAttempts, oldDetails, oldRuns } from '../ledger/nights/prune-runs.ts'
import { oldProfiles } from '../monitoring/drift/prune-profiles.ts'
import { oldVerdicts } from '../monitoring/trust/verdict-records.ts'
import type { Retention } from '../project/project.ts'
import { oldDailyGates, oldLeakChecks } from '../readiness/prune-evidence.ts'
import type { ProjectLedger } from './project-ledger.ts'

/** In this order: a run goes once its attempts are gone. */
const RECORDS: { what: string; setting: keyof Retention; records: Prunable }[] = [
  { what: 'attempts', setting: 'attempts', records: oldAttempts },
  { what: 'profiles', setting: 'profiles', records: oldProfiles },
  { what: 'mails', setting: 'mails', records: oldMails },
  { what: 'answers of the gate', setting: 'evidence', records: oldDailyGates },
  { what: 'searches for leaks', setting: 'evidence', records: oldLeakChecks },
  { what: 'former verdicts', setting: 'evidence', records: oldVerdicts },
  { what: 'runs', setting: 'runs', records: oldRuns },
  { what: 'details of runs', setting: 'runs', records: oldDetails },
]

/** Records of a kind in one statement: a few ms, so that nothing waits for it. */
const BATCH = 500

/**
 * Prunes what is older than `retention` in nightshift.yaml, at most a batch of each kind. Safe to call from any number of processes.
 *
 * @returns whether there may be more
 */
export async function pruneRecords(
  { database, project }: ProjectLedger,
  { log, batch = BATCH }: { log: Pick<Logger, 'info'>; batch?: number },
): Promise<boolean> {
  const now = await ledgerNow(database.pool)
  const pruned: Record<string, number> = {}
  for (const { what, setting, records } of RECORDS) {
    const count = await records.prune(database.pool, cutoff(project.retention, setting, now), batch)
    if (count > 0) pruned[what] = count
  }
  if (Object.keys(pruned).length > 0)
    log.info({ pruned }, 'pruned records that are older than retention says')
  return Object.values(pruned).some((count) => count === batch)
}

/** What the next rounds will prune, by kind; kinds without any are left out. */
export async function countOldRecords({ database, project }: ProjectLedger): Promise<Record<string, number>> {
  const now = await ledgerNow(database.pool)
  const found: Record<string, number> = {}
  for (const { what, setting, records } of RECORDS) {
    const count = await records.count(database.pool, cutoff(project.retention, setting, now))
    if (count > 0) found[what] = count
  }
  return found
}

function cutoff(retention: Retention, setting: keyof Retention, now: Date): string {
  return new Date(now.getTime() - retention[setting].ms).toISOString()
}
