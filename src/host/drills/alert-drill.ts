import { setTimeout as sleep } from 'node:timers/promises'
import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { acknowledgedTests } from '../../alerts/delivery/alert-tests.ts'
import { openTransport } from '../../alerts/delivery/open-transport.ts'
import { sendTest } from '../../alerts/delivery/test-mail.ts'
import { duration } from '../../format/elapsed.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { type DrillRequest, type DrillResult, failed } from './drill.ts'

const LOOK_MS = 1_000

/**
 * Sends a test mail to everybody on call and waits until each has sent its code back. The figure is the time of the last
 * answer.
 */
export async function alertDrill({
  session,
  model,
  by,
  log,
  say,
  signal,
  waitMs,
}: DrillRequest): Promise<DrillResult> {
  const { database, project, environment } = session
  const people = [...new Set(model.on_call)]
  if (people.length === 0)
    throw new ConfigurationError(`drill ${model.name} alert: expected on_call in model.yaml, got: nobody`)
  const transport = openTransport(environment.smtpUrl, project.root, log)
  try {
    const settings = alertSettings(project)
    const clock = ledgerClock(database)
    const post = { database, transport, settings, log, clock, secret: environment.secret }
    const begun = performance.now()
    const waiting = new Map<string, string>()
    for (const address of people) {
      const { sent, detail, code } = await sendTest(post, address, by ?? undefined)
      if (!sent) return failed(`the mail to ${address} could not be sent: ${detail}`)
      waiting.set(code, address)
      say(`sent to ${address} (${detail}): waiting for nightshift ack CODE --by ${address}`)
    }
    while (performance.now() - begun < waitMs) {
      for (const { code, seconds } of await acknowledgedTests(database.pool, [...waiting.keys()])) {
        say(`${waiting.get(code)} answered after ${duration(seconds * 1000)}`)
        waiting.delete(code)
      }
      if (waiting.size === 0) {
        const seconds = (performance.now() - begun) / 1000
        const who =
          people.length === 1 ? `${people[0]} answered` : `${people.length} on call answered, the last`
        return { passed: true, seconds, note: `${who} after ${duration(seconds * 1000)}` }
      }
      await sleep(LOOK_MS, undefined, { signal })
    }
    return failed(`${[...waiting.values()].join(', ')} did not answer within ${duration(waitMs)}`)
  } finally {
    await transport.close()
  }
}
