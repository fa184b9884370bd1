import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { openTransport } from '../../alerts/delivery/open-transport.ts'
import { notifiedBySubject, titleOf, unnotifiedText } from '../../alerts/delivery/recipients.ts'
import { sendTest, sendTestPost } from '../../alerts/delivery/test-mail.ts'
import type { GlobalOptions } from '../../cli.ts'
import { withSession } from '../../host/session.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { liveViews } from '../../registry/version-records.ts'
import { printJson, printLine } from '../terminal/print.ts'

/** `alert test`: sends one mail to everybody who is notified about a model or a view (or to `--to`), and a post to each webhook, on the same path as incidents. */
export default function alert(
  [what = '']: string[],
  options: GlobalOptions & { to?: string },
): Promise<number> {
  if (what !== 'test') throw new ConfigurationError(`alert: expected \`alert test\`, got: alert ${what}`)
  return withSession(options, async ({ project, database, environment, log }) => {
    const all = notifiedBySubject(project, await liveViews(database.pool))
    const recipients =
      options.to === undefined ? [...new Set(all.flatMap(({ addresses }) => addresses))] : [options.to]
    const settings = alertSettings(project)
    const webhooks = options.to === undefined ? settings.webhooks : []
    if (recipients.length + webhooks.length === 0) {
      throw new ConfigurationError(
        'alert test: no model and no view names a mail address: write one as owner or on_call, or name one with --to',
      )
    }
    const unreached = options.to === undefined ? all.filter(({ addresses }) => addresses.length === 0) : []
    const transport = openTransport(environment.smtpUrl, project.root, log)
    try {
      const post = {
        database,
        transport,
        settings,
        log,
        clock: ledgerClock(database),
        secret: environment.secret,
      }
      const mails = []
      for (const recipient of recipients) {
        const about = all.filter(({ addresses }) => addresses.includes(recipient)).map(titleOf)
        mails.push({ ...(await sendTest(post, recipient, undefined)), about })
      }
      for (const webhook of webhooks) mails.push({ ...(await sendTestPost(post, webhook)), about: [] })
      if (options.json) printJson(mails)
      else
        for (const { recipient, sent, detail, about } of mails)
          printLine(
            `${recipient}: ${sent ? 'sent' : 'not sent'}: ${detail}${about.length === 0 ? '' : ` (notified about ${about.join(', ')})`}`,
          )
      for (const subject of unreached) process.stderr.write(`${unnotifiedText(subject)}\n`)
      return unreached.length === 0 && mails.every((mail) => mail.sent) ? 0 : 1
    } finally {
      await transport.close()
    }
  })
}
