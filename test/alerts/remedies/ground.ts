import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Incident } from '../../../src/alerts/incidents/incident-record.ts'
import { listIncidents } from '../../../src/alerts/incidents/list-incidents.ts'
import { remedyOf } from '../../../src/alerts/letters/next-commands.ts'
import type { Step, StepName } from '../../../src/failures/remedies.ts'
import { reconcile, reconcileBackfills } from '../../../src/host/reconcile.ts'
import { feedBackfills } from '../../../src/jobs/backfills/feed-backfills.ts'
import type { Reconciler } from '../../../src/jobs/reconciler.ts'
import { requestFeatures, requestScores } from '../../../src/jobs/request-run.ts'
import { openDatabase } from '../../../src/ledger/connection/database.ts'
import { listen } from '../../../src/ledger/connection/notifications.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { parseAsOf } from '../../../src/project/time/asof.ts'
import { startWeb, type WebServer } from '../../../src/web/start-web.ts'
import { ledgerEffects } from '../../../src/workers/attempt/effects.ts'
import { findStale } from '../../../src/workers/currency.ts'
import { type Finished, nightshift } from '../../cli/nightshift.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { type Life, openLife } from '../../workers/life.ts'
import { keepMail } from '../kept-mails.ts'

export type Kind = 'features' | 'scores'
export interface Subject {
  kind: Kind
  name: string
}

/** A command of a mail: what it is in the table of remedies, as it is written, and its purpose. */
export interface Mailed {
  step: StepName
  why: string
  command: string
}

/** The three commands of a mail, which are these steps of the table of remedies. */
export function commandsOf(text: string, steps: readonly Step[]): Mailed[] {
  const [, section = ''] = /NEXT (?:THREE )?COMMANDS\n([\s\S]*?)\n\n/.exec(text) ?? []
  const written = [...section.matchAll(/^(\S.*?)[:?.]?\n {2}(npx nightshift .*)$/gm)]
  const commands = written.map(([, why = '', command = ''], index) => {
    const step = steps[index]
    return { step: typeof step === 'object' ? step.command : (step ?? 'show'), why, command }
  })
  if (commands.length !== 3) throw new Error(`expected three commands, got: ${text}`)
  return commands
}

/** A project with a worker, a mailbox and pages, in which nights fail. */
export interface Ground {
  life: Life
  project: TemporaryProject
  /** Asks for a night, tried once, and lives on until it has ended and mails have gone out. */
  ask(subject: Subject, night: string, how?: { timeoutMs?: number; version?: number }): Promise<void>
  /** Lives on for some minutes. */
  pass(minutes: number): Promise<void>
  /** Lives on until something holds. */
  until(holds: () => Promise<boolean>): Promise<void>
  state(subject: Subject, night: string): Promise<string>
  champion(model: string): Promise<number | null>
  /** Whether readers have scores of what is published of the features now. */
  areScoresCurrent(model: string, night: string): Promise<boolean>
  /** The version whose scores of a night readers have. */
  publishedVersion(subject: Subject, night: string): Promise<number | null>
  /** The open incidents of a subject. */
  open(subject: Subject): Promise<Incident[]>
  /**
   * The newest mail about a subject's open incident, and the row of the table of remedies that it is of. `isClosed`: about
   * its newest incident.
   */
  mail(
    subject: Subject,
    of?: { isClosed?: boolean | undefined },
  ): Promise<{ incident: Incident; cause: string; commands: Mailed[] }>
  /** Runs a command as it is pasted into a shell. The worker goes on beside it: some wait for nights. */
  paste(command: string): Promise<Finished>
  read(path: string): Promise<string>
  /** What the buttons of a page post to. */
  buttons(path: string): Promise<string[]>
  /** Presses the button of a page that posts to an address. */
  press(path: string, action: string): Promise<Response>
  close(): Promise<void>
}

/** Commands that wait for nights. */
const WAITING = /^npx nightshift (?:run|refresh|retry|rollback) /

/** Its clock starts at `from`, by default twelve hours ago: commands have the real clock, which is ahead of it. */
export async function openGround(
  project: TemporaryProject,
  { from, redisUrl }: { from?: string; redisUrl?: string | undefined } = {},
): Promise<Ground> {
  const begins = from ?? new Date(Date.now() - 12 * 3_600_000).toISOString()
  const life = await openLife(project.root, { from: begins, redisUrl, worker: false })
  const { pool } = life.database
  const web: WebServer = await startWeb(
    {
      database: life.database,
      queues: life.queues,
      project: () => openProject(project.root),
      clock: life.now,
    },
    { port: 0 },
  )
  // For commands the ledger's clock is the real one: their queue has no schema of a test.
  const url = new URL(life.database.url)
  url.searchParams.delete('options')
  const real = await openDatabase({ root: project.root, url: url.href, role: 'command' })
  /** What a living host would plan for commands, whose nights are due by the real clock. */
  const planned = async () => {
    const { context, queues } = life
    const { log, children } = context
    const reconciler: Reconciler = {
      database: real,
      queues,
      log,
      project: context.project,
      effects: ledgerEffects({ ...context, database: real }),
      scope: 'requested',
    }
    await reconcile(reconciler)
    await reconcileBackfills(reconciler)
    const stale = (runs: string[]) =>
      findStale({ database: real, children }, context.project(), runs, { lane: 'backfill' })
    await feedBackfills({ database: real, log, stale })
  }
  const env = { DATABASE_URL: url.href, SMTP_URL: life.mails.url, REDIS_URL: redisUrl ?? '' }
  const pass = (minutes: number) =>
    life.until(new Date(life.now().getTime() + minutes * 60_000).toISOString(), minutes)
  const incidents = async ({ kind, name }: Subject, closedToo: boolean) =>
    (await listIncidents(pool, life.now(), { subject: name, closedToo })).filter(
      ({ subjectKind }) => subjectKind === (kind === 'scores' ? 'model' : 'view'),
    )
  const open = (subject: Subject) => incidents(subject, false)
  const newest = async (subject: Subject) =>
    (await incidents(subject, true)).sort((a, b) => a.id - b.id).at(-1)
  const read = async (path: string) => (await fetch(web.url + path)).text()
  const start = (command: string) => {
    const words = spawnSync('sh', ['-c', `for word in ${command}; do printf '%s\\0' "$word"; done`], {
      encoding: 'utf8',
    }).stdout.split('\0')
    if (words[0] !== 'npx' || words[1] !== 'nightshift') throw new Error(`not a command: ${command}`)
    return nightshift(words.slice(2, -1), { project: project.root, env })
  }
  return {
    life,
    project,
    pass,
    open,
    read,
    async ask({ kind, name }, night, { timeoutMs = 60_000, version } = {}) {
      const asOf = parseAsOf(night, 'UTC')
      const request = {
        trigger: 'manual' as const,
        forced: true,
        ...(version === undefined ? {} : { version }),
        settings: { attempts: 1, backoff_ms: 1000, timeout_ms: timeoutMs, wait_until: null },
        by: null,
      }
      if (kind === 'features') await requestFeatures(life.database, name, asOf, request)
      else await requestScores(life.database, name, asOf, { ...request, forced: false })
      await pass(1)
      await pass(1)
    },
    async until(holds) {
      for (let tries = 0; tries < 1000; tries++) {
        if (await holds()) return
        if (tries % 10 === 0) await pass(1)
        await sleep(50)
      }
      throw new Error('it did not come')
    },
    async state({ kind, name }, night) {
      return (await life.slot(kind, name, night))?.state ?? 'no slot'
    },
    async publishedVersion({ kind, name }, night) {
      const { rows } = await pool.query(
        `select r.version from nightshift.slots s join nightshift.runs r on r.id = s.published_run
          where s.kind = $1 and s.name = $2 and s.partition = $3`,
        [kind, name, night],
      )
      return rows[0]?.version ?? null
    },
    async areScoresCurrent(model, night) {
      const { rows } = await pool.query(
        `select coalesce(scored.content, scored.id) = coalesce(now.content, now.id) as current
           from nightshift.slots s join nightshift.runs r on r.id = s.published_run
           join nightshift.runs scored on scored.id = r.metadata->>'features_run'
           join nightshift.slots f on f.kind = 'features' and f.name = scored.name and f.partition = s.partition
           join nightshift.runs now on now.id = f.published_run
          where s.kind = 'scores' and s.name = $1 and s.partition = $2`,
        [model, night],
      )
      return rows[0]?.current === true
    },
    async champion(model) {
      const { rows } = await pool.query('select version from nightshift.champions where model = $1', [model])
      return rows[0]?.version ?? null
    },
    async mail(subject, { isClosed = false } = {}) {
      const [incident, ...others] = isClosed ? [await newest(subject)] : await open(subject)
      if (incident === undefined) throw new Error(`expected an incident of ${subject.name}`)
      if (others.length > 0)
        throw new Error(`expected one incident, got: ${others.map((other) => other?.kind)}`)
      const written = () =>
        life.mails.received.findLast(({ mail }) => mail.subject?.includes(`(#${incident.id})`) === true)
      for (let minute = 0; minute < 5 && written() === undefined; minute++) await pass(1)
      const found = written()
      if (found === undefined) throw new Error(`incident ${incident.id} was not mailed`)
      const { cause, steps } = remedyOf(incident.facts)
      const commands = commandsOf(found.mail.text ?? '', steps)
      keepMail(`${incident.kind} ${cause}`, found.mail, project.root)
      return { incident, cause, commands }
    },
    async paste(command) {
      if (!WAITING.test(command)) return await start(command)
      let isOver = false
      let hear = () => {}
      const release = await listen(real, () => hear())
      const pasted = start(command).finally(() => {
        isOver = true
        hear()
      })
      try {
        while (!isOver) {
          const heard = new Promise<void>((resolve) => {
            hear = resolve
          })
          await planned()
          if (!isOver) await Promise.race([heard, sleep(250)])
        }
        return await pasted
      } finally {
        await release()
      }
    },
    async buttons(path) {
      const page = await read(path)
      return [...page.matchAll(/<form method="post" action="([^"]+)"/g)].map(([, action = '']) => action)
    },
    async press(path, action) {
      const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(await read(path)) ?? []
      const body = new URLSearchParams({ csrf, reason: 'pressed in a test' })
      return fetch(web.url + action, { method: 'POST', redirect: 'manual', body })
    },
    async close() {
      await web.close()
      await real.close()
      await life.close()
    },
  }
}
