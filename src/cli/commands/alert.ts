import { digestMail, digestUntil, mailDigest } from '../../actions/send-digest.ts'
import { requireAddress } from '../../alerts/delivery/address.ts'
import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { openTransport } from '../../alerts/delivery/open-transport.ts'
import { notifiedBySubject, titleOf, unnotifiedText } from '../../alerts/delivery/recipients.ts'
import { sendTest, sendTestPost } from '../../alerts/delivery/test-mail.ts'
import { letterText } from '../../alerts/letters/letter-text.ts'
import { postIfAlone } from '../../host/deliver-if-alone.ts'
import { withSession } from '../../host/session.ts'
import { ledgerClock, ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { liveViews } from '../../registry/version-records.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine } from '../terminal/print.ts'

type AlertOptions = GlobalOptions & { to?: string }

export default function alert([what = '']: string[], options: AlertOptions): Promise<number> {
  if (what === 'test') return test(options)
  if (what === 'digest') return digest(options)
  throw new ConfigurationError(`alert: expected \`alert test\` or \`alert digest\`, got: alert ${what}`)
}

/** `alert test`: sends one mail to everybody who is notified about a model or a view, or to whom incidents are escalated (or to `--to`), and a post to each webhook, on the same path as incidents. */
function test(options: AlertOptions): Promise<number> {
  return withSession(options, async ({ project, database, environment, log }) => {
    const all = notifiedBySubject(project, await liveViews(database.pool))
    const settings = alertSettings(project)
    const escalated = settings.escalate?.to ?? []
    const everybody = [...new Set([...all.flatMap(({ addresses }) => addresses), ...escalated])]
    const recipients = options.to === undefined ? everybody : [options.to]
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
        if (escalated.includes(recipient)) about.push('what nobody acknowledges in time')
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

/** Prints what the next digest would say if it were written now, to each address; with `--to`, mails all of it there. */
function digest(options: AlertOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const to = options.to === undefined ? undefined : requireAddress(options.to, '--to')
    const now = await ledgerNow(database.pool)
    const { span, weeks, readers } = await digestUntil({ project, database }, now.toISOString())
    const mails = [...(to === undefined ? readers : [[to, weeks] as const])].map(([recipient, those]) => ({
      recipient,
      weeks: those,
      ...digestMail(project, those, span),
    }))
    if (mails.length === 0) {
      throw new ConfigurationError(
        'alert digest: no model names a mail address: write one as owner or among consumers, or name one with --to',
      )
    }
    if (options.json)
      printJson(
        mails.map(({ recipient, subject, weeks: models }) => ({ recipient, subject, ...span, models })),
      )
    else
      for (const { recipient, subject, letter } of mails)
        printLine(`To: ${recipient}\nSubject: ${subject}\n\n${letterText(letter)}`)
    if (to === undefined) return 0
    for (const mail of mails) await mailDigest({ project, database }, mail)
    await postIfAlone(session)
    return 0
  })
}
