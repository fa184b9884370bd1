import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AlertSettings } from '../../src/alerts/delivery/alert-settings.ts'
import { openTransport } from '../../src/alerts/delivery/open-transport.ts'
import type { Post } from '../../src/alerts/delivery/outbox.ts'
import { sendDueMails } from '../../src/alerts/delivery/send-due-mails.ts'
import type { FailureFacts, RecoveryFacts } from '../../src/alerts/incidents/incident-facts.ts'
import { type Reported, reportFailure, reportRecovery } from '../../src/alerts/incidents/report-incident.ts'
import { type Database, transaction } from '../../src/ledger/connection/database.ts'
import { freshDatabase } from '../database/fresh.ts'
import { type MailServer, openMailServer, type ReceivedMail } from './mail-server.ts'
import { SETTINGS } from './sample.ts'

/** A ledger, a clock that stands until it is moved, and a way for mails to leave. */
export interface Desk {
  database: Database
  root: string
  log: { level: string; facts: object; message: string }[]
  now(): Date
  /** Moves the clock on. */
  pass(seconds: number): void
  post(smtpUrl?: string): Post
  /** The desk's mail server, opened when it is first asked for. */
  mailbox(port?: number): Promise<MailServer>
  /** Sends what is due to the mailbox. @returns all mails that have arrived there */
  mails(): Promise<ReceivedMail[]>
  fails(facts: FailureFacts): Promise<Reported>
  recovers(facts: RecoveryFacts): Promise<number[]>
  close(): Promise<void>
}

export async function openDesk(
  settings: AlertSettings = SETTINGS,
  secrets: Record<string, string> = {},
): Promise<Desk> {
  const fresh = await freshDatabase()
  const root = await mkdtemp(join(tmpdir(), 'nightshift-alerts-'))
  const log: Desk['log'] = []
  const write = (level: string) => (facts: object, message: string) =>
    void log.push({ level, facts, message })
  const logger = { info: write('info'), warn: write('warn'), error: write('error') }
  let time = new Date('2026-11-22T03:00:05Z').getTime()
  const clock = () => new Date(time)
  let server: MailServer | undefined
  const post: Desk['post'] = (smtpUrl) => ({
    database: fresh.database,
    transport: openTransport(smtpUrl, root, logger),
    settings,
    log: logger,
    clock,
    secret: (name) => secrets[name],
  })
  const mailbox: Desk['mailbox'] = async (port) => {
    server ??= await openMailServer(port)
    return server
  }
  return {
    database: fresh.database,
    root,
    log,
    now: clock,
    pass(seconds) {
      time += seconds * 1000
    },
    post,
    mailbox,
    async mails() {
      const { url, received } = await mailbox()
      await sendDueMails(post(url))
      return received
    },
    fails: (facts) =>
      transaction(fresh.database, (client) => reportFailure(client, clock(), facts, settings)),
    recovers: (facts) =>
      transaction(fresh.database, (client) => reportRecovery(client, clock(), facts, settings)),
    async close() {
      await server?.close()
      await fresh.drop()
      await rm(root, { recursive: true, force: true })
    },
  }
}
