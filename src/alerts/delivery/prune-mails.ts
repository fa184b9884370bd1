import { prunable } from '../../ledger/connection/prunable.ts'

/** Mails and posts that were sent or given up. Those of open incidents stay: their threads go on. Incidents stay themselves. */
export const oldMails = prunable({
  old: `select o.id from nightshift.outbox o
         where coalesce(o.sent_at, o.gave_up_at) < $1
           and not exists (select from nightshift.incident_readers e join nightshift.incidents i on i.id = e.incident
                            where e.thread = o.thread and i.closed_at is null)`,
  prune: 'delete from nightshift.outbox o using chosen c where o.id = c.id',
})
