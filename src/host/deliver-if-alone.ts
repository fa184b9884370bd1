import { alertSettings } from '../alerts/delivery/alert-settings.ts'
import { sendDueMails } from '../alerts/delivery/tell.ts'
import { openTransport } from '../alerts/delivery/transport.ts'
import { ledgerClock } from '../ledger/connection/ledger-clock.ts'
import { hostAlive } from '../ledger/nights/alive.ts'
import type { Session } from './session.ts'

/**
 * Where a command is the only process there is, what it has to tell does not wait for more to be told with it.
 * A mail that cannot be delivered now stays in the outbox; that is logged, and never thrown.
 */
export async function postIfAlone({ project, database, environment, log }: Session): Promise<void> {
  const transport = openTransport(environment.smtpUrl, project.root, log)
  try {
    if (await hostAlive(database)) return
    const settings = alertSettings(project)
    await sendDueMails({ database, transport, settings, log, clock: ledgerClock(database) }, { flush: true })
  } catch (error) {
    log.error(
      { error: error instanceof Error ? error.message : String(error) },
      'sending mail failed; the next process tries again',
    )
  } finally {
    await transport.close()
  }
}
