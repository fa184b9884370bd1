import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { openTransport } from '../../alerts/delivery/open-transport.ts'
import { sendTest } from '../../alerts/delivery/test-mail.ts'
import type { GlobalOptions } from '../../cli.ts'
import { withSession } from '../../host/session.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { printJson, printLine } from '../terminal/print.ts'

/** `alert test`: sends one mail to every on-call address (or to `--to`), on the same path as incidents. */
export default function alert(
  [what = '']: string[],
  options: GlobalOptions & { to?: string },
): Promise<number> {
  if (what !== 'test') throw new ConfigurationError(`alert: expected \`alert test\`, got: alert ${what}`)
  return withSession(options, async ({ project, database, environment, log }) => {
    const onCall = Object.values(project.models).flatMap((model) => model.on_call)
    const recipients = options.to === undefined ? [...new Set(onCall)] : [options.to]
    if (recipients.length === 0) {
      throw new ConfigurationError('alert test: no model has an on-call address: give one with --to')
    }
    const transport = openTransport(environment.smtpUrl, project.root, log)
    try {
      const post = {
        database,
        transport,
        settings: alertSettings(project),
        log,
        clock: ledgerClock(database),
      }
      const mails = []
      for (const recipient of recipients) mails.push(await sendTest(post, recipient, undefined))
      if (options.json) printJson(mails)
      else
        for (const mail of mails)
          printLine(`${mail.recipient}: ${mail.sent ? 'sent' : 'not sent'}: ${mail.detail}`)
      return mails.every((mail) => mail.sent) ? 0 : 1
    } finally {
      await transport.close()
    }
  })
}
