import { statfs } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { resolve } from 'node:path'
import { countOldRecords } from '../../actions/prune-records.ts'
import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { delivering } from '../../alerts/delivery/delivering.ts'
import { notifiedBySubject, unnotifiedText } from '../../alerts/delivery/recipients.ts'
import { activeMutes, mutedText } from '../../alerts/incidents/mutes.ts'
import { recipientName } from '../../alerts/webhooks/webhook-name.ts'
import { clockTime } from '../../format/clock-time.ts'
import { duration } from '../../format/elapsed.ts'
import { count } from '../../format/numbers.ts'
import { bytes } from '../../format/sizes.ts'
import { readEnvironment } from '../../host/environment.ts'
import { openSession, type Session } from '../../host/session.ts'
import type { Database } from '../../ledger/connection/database.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { namesInLedger } from '../../ledger/identity/project-identity.ts'
import { aheadOfLedger, whoIsAlive } from '../../ledger/nights/alive.ts'
import { chooseLocation } from '../../ledger/server/server-place.ts'
import { openProject } from '../../project/files/load-project.ts'
import { loopbackLinks } from '../../project/loopback.ts'
import { liveViews } from '../../registry/version-records.ts'
import { publishedNames } from '../../storage/published-names.ts'
import { objectPaths, tryObjects, tryWarehouse } from '../../storage/try-objects.ts'
import { isStored } from '../../storage/warehouse-files.ts'
import { clocksApart, describeDifference } from '../../workers/clock-difference.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printTable } from '../terminal/print.ts'

interface Finding {
  part: string
  ok: boolean
  detail: string
}

const FREE_BYTES = 2e9

/** Checks everything that a night needs, one line each; exit 1 if a check fails. */
export default async function doctor(_args: string[], options: GlobalOptions): Promise<number> {
  const environment = readEnvironment()
  const findings: Finding[] = [node()]
  const runCheck = async (part: string, check: () => Promise<string>) => {
    try {
      findings.push({ part, ok: true, detail: await check() })
    } catch (error) {
      findings.push({ part, ok: false, detail: error instanceof Error ? error.message : String(error) })
    }
  }
  await runCheck('files', async () => `${openProject(resolve(options.project)).name} is valid`)
  if (findings.at(-1)?.ok) {
    const project = openProject(resolve(options.project))
    await runCheck('disk', () => disk(project.root))
    const objects = objectPaths(project)
    if (objects.length > 0) await runCheck('objects', async () => (await tryObjects(objects)).join('; '))
    if (isStored(project.warehouse)) await runCheck('warehouse', () => tryWarehouse(project.warehouse))
    await runCheck('mail', () => mail(environment.smtpUrl))
    const session = await openSession(options, 'command', { quiet: true }).catch((error: unknown) => {
      findings.push({
        part: 'database',
        ok: false,
        detail: error instanceof Error ? error.message : String(error),
      })
      return undefined
    })
    if (session !== undefined) {
      try {
        const where = session.database.embedded
          ? `embedded server, its data is in ${chooseLocation(project.root).folder}`
          : 'DATABASE_URL'
        findings.push({ part: 'database', ok: true, detail: `${where}, its schema is current` })
        await runCheck('ledger', () => ledger(session))
        await runCheck('queue', async () => {
          const queues = await session.queues()
          await queues.has('features', 'doctor')
          return queues.backend === 'redis' ? 'Redis answers' : 'in PostgreSQL, answers'
        })
        await runCheck('workers', () => workers(session.database))
        await runCheck('scheduler', async () =>
          (await whoIsAlive(session.database)).scheduler
            ? 'one has planned within a minute'
            : 'none plans: no night starts by its schedule; `nightshift up` or `nightshift scheduler` starts one',
        )
        await runCheck('outbox', () => outbox(session))
        await runCheck('links', async () => links(session, environment.smtpUrl))
        await runCheck('alerts', () => alerts(session))
        if ((session.project.alerts?.webhook ?? []).length > 0)
          await runCheck('webhooks', async () => webhooks(session))
        await runCheck('mutes', () => mutes(session))
        await runCheck('retention', () => retention(session))
        await runCheck('clocks', () => clocks(session.database))
      } finally {
        await session.close()
      }
    }
  }
  if (options.json) printJson(findings)
  else
    printTable(
      ['', 'part', 'finding'],
      findings.map(({ part, ok, detail }) => [ok ? 'ok' : 'WRONG', part, detail]),
    )
  return findings.every(({ ok }) => ok) ? 0 : 1
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > 20 || (major === 20 && minor >= 19)
  return {
    part: 'node',
    ok,
    detail: ok ? process.version : `expected Node 20.19 or later, got: ${process.version}`,
  }
}

async function disk(folder: string): Promise<string> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const detail = `${bytes(free)} free`
  if (free < FREE_BYTES)
    throw new Error(
      `${detail} in ${folder}: expected at least ${bytes(FREE_BYTES)}; free up space before the next night`,
    )
  return detail
}

/** Whether the ledger knows of the nights that are published in the warehouse. */
async function ledger({ project, database }: Session): Promise<string> {
  const names = await namesInLedger(database)
  if (names.length > 0) return `it knows nights of ${names.join(', ')}`
  const published = await publishedNames(project.warehouse)
  if (published.length === 0) return 'it is new, and so is the warehouse'
  throw new Error(
    `it is empty, but the warehouse has partitions of ${published.join(', ')}: the runs, versions and incidents of these nights are in another ledger. \`nightshift ledger ls\` finds embedded ones that were left behind, \`nightshift ledger restore FILE\` fills this one from a copy`,
  )
}

/** Who is mailed when something fails: every model and every view has somebody. */
async function alerts({ project, database }: Session): Promise<string> {
  const all = notifiedBySubject(project, await liveViews(database.pool))
  const unreached = all.filter(({ addresses }) => addresses.length === 0)
  if (unreached.length > 0) throw new Error(unreached.map(unnotifiedText).join('; '))
  const addresses = [...new Set(all.flatMap((each) => each.addresses))]
  const { escalate } = alertSettings(project)
  const others =
    escalate === undefined
      ? ''
      : `; after ${duration(escalate.after)} without an answer also ${escalate.to.join(', ')}`
  const count = (kind: string) => all.filter((each) => each.kind === kind).length
  return `${count('model')} models and ${count('view')} views; notified: ${addresses.join(', ') || 'nobody'}${others}; nightshift alert test mails each of them`
}

/** Whether posts can be signed; posts nothing. Nightly processes have variables of their own: this is about this command's. */
function webhooks({ project, environment }: Session): string {
  const all = project.alerts?.webhook ?? []
  const unset = all.filter(({ secret_env }) => environment.secret(secret_env) === undefined)
  if (unset.length > 0) {
    throw new Error(
      unset
        .map(
          ({ url, secret_env }) => `${secret_env} is not set: nothing can be posted to ${recipientName(url)}`,
        )
        .join('; '),
    )
  }
  const each = all.map(
    ({ url, secret_env, format }) => `${recipientName(url)} (${format}, ${secret_env} is set)`,
  )
  return `${each.join(', ')}; nightshift alert test posts to each of them`
}

/** Whether mails leave the outbox. */
async function outbox({ database }: Session): Promise<string> {
  const { waiting, gave_up, error } = await delivering(database.pool)
  if (waiting + gave_up === 0) return 'no mail and no post waits for its delivery'
  throw new Error(
    `${waiting} mails or posts wait for another try, ${gave_up} were given up within a day${error === null ? '' : `: ${error}`}`,
  )
}

/** Where the links of mails lead. It is a fault only where mails are read on other machines. */
function links({ project }: Session, smtpUrl: string | undefined): string {
  const loopback = loopbackLinks(project)
  if (loopback !== undefined && smtpUrl !== undefined) throw new Error(loopback)
  const url = project.alerts?.base_url
  return (
    loopback ??
    (url === undefined
      ? 'alerts.base_url is not set: mails have no links'
      : `links in mails begin with ${url}`)
  )
}

/** What nobody is mailed about now: known, and no fault. */
async function mutes({ project, database }: Session): Promise<string> {
  const all = await activeMutes(database.pool, await ledgerNow(database.pool))
  const texts = all.map((mute) => `${mutedText(mute)} until ${clockTime(mute.until, project.timezone)}`)
  return texts.length === 0 ? 'none: mails about everything are sent' : `no mails about ${texts.join(', ')}`
}

/** Whether every kind of work has a worker that takes it. */
/** How long records are kept, and what the scheduler is about to prune. */
async function retention(session: Session): Promise<string> {
  const kept = Object.entries(session.project.retention).map(([what, { text }]) => `${what} ${text}`)
  const old = Object.entries(await countOldRecords(session)).map(([what, found]) => `${count(found)} ${what}`)
  const next = old.length === 0 ? 'nothing is older' : `the scheduler is about to prune ${old.join(', ')}`
  return `kept: ${kept.join(', ')}; ${next}`
}

async function workers(database: Database): Promise<string> {
  const { worker, untaken } = await whoIsAlive(database)
  if (!worker) return 'none is alive: `nightshift up` or `nightshift worker` starts one; `run` needs none'
  if (untaken.length === 0) return 'at least one is alive'
  throw new Error(`none takes ${untaken.join(', ')}: start one that does, such as \`nightshift worker\``)
}

/** Compares this machine's clock and those of all live processes with the ledger's. */
async function clocks({ pool }: Database): Promise<string> {
  const ahead = await aheadOfLedger(pool)
  const own = ahead === undefined ? undefined : describeDifference("this machine's clock", ahead)
  const apart = [...(own === undefined ? [] : [own]), ...(await clocksApart(pool))]
  if (apart.length === 0)
    return "this machine's clock and those of all live processes agree with the ledger's"
  throw new Error(`${apart.join('; ')}: runs use the ledger's clock; correct the machine's clock`)
}

/** Opens a connection; sends nothing. */
async function mail(smtpUrl: string | undefined): Promise<string> {
  if (smtpUrl === undefined) return 'SMTP_URL is not set: mails are written to .nightshift/outbox/'
  const { hostname, port, protocol } = new URL(smtpUrl)
  const at = { host: hostname, port: Number(port) || (protocol === 'smtps:' ? 465 : 587) }
  await new Promise<void>((done, fail) => {
    const socket = createConnection({ ...at, timeout: 5_000 }, () => {
      socket.destroy()
      done()
    })
    const refuse = (why: string) => {
      socket.destroy()
      fail(
        new Error(
          `the mail server ${at.host}:${at.port} does not answer: ${why}; mails wait in the outbox until it does`,
        ),
      )
    }
    socket.once('timeout', () => refuse('no connection within 5 s'))
    socket.once('error', (error) => refuse(error.message))
  })
  return `${at.host}:${at.port} answers; nightshift alert test sends a test mail`
}
