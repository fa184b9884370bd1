import { alertSettings } from '../alerts/delivery/alert-settings.ts'
import { openTransport } from '../alerts/delivery/open-transport.ts'
import { sendDueMails } from '../alerts/delivery/send-due-mails.ts'
import { ledgerClock } from '../ledger/connection/ledger-clock.ts'
import { hostAlive } from '../ledger/nights/alive.ts'
import { openVerdictKeeper } from '../monitoring/trust/keep-verdicts.ts'
import type { Session } from './session.ts'

/**
 * If a command is the only live process, sends its mails at once instead of waiting to group them with others, and records the
 * verdicts that it has changed. A mail that cannot be delivered now stays in the outbox; this is logged, never thrown.
 */
export async function postIfAlone({ project, database, environment, log }: Session): Promise<void> {
  const transport = openTransport(environment.smtpUrl, project.root, log, environment.outbox)
  try {
    if (await hostAlive(database)) return
    const settings = alertSettings(project)
    const clock = ledgerClock(database)
    const { secret } = environment
    await openVerdictKeeper(database).keep(project)
    await sendDueMails({ database, transport, settings, log, clock, secret }, { flush: true })
  } catch (error) {
    log.error(
      { error: error instanceof Error ? error.message : String(error) },
      'recording verdicts or sending mail failed; the next process tries again',
    )
  } finally {
    await transport.close()
  }
}
