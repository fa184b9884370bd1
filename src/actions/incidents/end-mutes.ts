import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { enqueue } from '../../alerts/delivery/enqueue-mail.ts'
import { notifiedBySubject } from '../../alerts/delivery/recipients.ts'
import { listIncidents } from '../../alerts/incidents/list-incidents.ts'
import { endMutes, isMuteOver } from '../../alerts/incidents/mutes.ts'
import { muteLetter } from '../../alerts/letters/notices/mute-letter.ts'
import { transaction } from '../../ledger/connection/database.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { liveViews } from '../../registry/version-records.ts'
import type { ProjectLedger } from '../project-ledger.ts'

/** A mute ends aloud: whoever is mailed about its subject hears that mails are sent again, and what is open. */
export async function announceEndedMutes({ database, project }: ProjectLedger): Promise<void> {
  // Asked every few seconds, and there is hardly ever one.
  if (!(await isMuteOver(database.pool))) return
  await transaction(database, async (client) => {
    const now = await ledgerNow(client)
    const over = await endMutes(client, now)
    if (over.length === 0) return
    const notified = notifiedBySubject(project, await liveViews(client))
    for (const ended of over) {
      const open = (await listIncidents(client, now, { subject: ended.subject })).filter(
        ({ kind }) => ended.kind === 'all' || kind === ended.kind,
      )
      const mail = muteLetter(ended, open, project)
      for (const recipient of notified.find(({ name }) => name === ended.subject)?.addresses ?? [])
        await enqueue(client, now, { recipient, ...mail }, alertSettings(project))
    }
  })
}
