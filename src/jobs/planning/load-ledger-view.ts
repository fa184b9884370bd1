import { readFileSync } from 'node:fs'
import type { ClientBase } from 'pg'
import { type Database, transaction } from '../../ledger/connection/database.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { type Answers, followAnswers } from '../../ledger/nights/answers.ts'
import { openSplits } from '../../ledger/shards/split-records.ts'
import { ownFile } from '../../program/own-files.ts'
import type { Project } from '../../project/project.ts'
import { activeChallengers } from '../../registry/challengers.ts'
import { warmVersions } from '../../registry/warm.ts'
import { jobQueue } from '../queue/enqueue-attempt.ts'
import type { JobQueues } from '../queue/queues.ts'
import type { ScheduleDefinition } from './calendar.ts'
import type { LedgerSlot, LedgerView, OpenRun, ScheduleRecord, Share } from './ledger-view.ts'
import { ledgerSince } from './upkeep.ts'

const sql: { [S in Share]?: string } = {}
const FILES = { nights: 'jobs/planning/slots-to-plan.sql', backfills: 'jobs/planning/backfilled-slots.sql' }

/** Reads the planner's input in one snapshot of the ledger, then queries the queue. */
export async function loadLedgerView(
  from: { database: Database; queues: JobQueues; project(): Project; answers?: Answers },
  share: Share,
): Promise<LedgerView> {
  const project = from.project()
  const answers = from.answers ?? followAnswers()
  const view = await answers.ask(() => readLedger(from.database, project, share))
  const runs = view.runs.map((run) => ({ ...run, worker: silentWithin(run.worker, answers.forMs()) }))
  return { ...view, runs, jobs: await knownJobs(from.queues, runs) }
}

/** Whether backfills have anything for the planner: an open run, or a night that they asked for. One cheap query. */
export async function backfillsOpen({ pool }: Pick<Database, 'pool'>): Promise<boolean> {
  const { rows } = await pool.query<{ open: boolean }>(
    `select exists (select from nightshift.runs
                     where backfill is not null and state in ('waiting', 'queued', 'running', 'publishing'))
         or exists (select from nightshift.slots where request is not null and request->>'backfill' is not null) as open`,
  )
  return rows[0]?.open === true
}

/** A worker's silence counts only while the ledger was reachable. */
function silentWithin(worker: OpenRun['worker'], ms: number): OpenRun['worker'] {
  if (worker?.silent_ms === undefined) return worker
  return { ...worker, silent_ms: Math.min(worker.silent_ms, ms) }
}

async function readLedger(
  database: Database,
  project: Project,
  share: Share,
): Promise<Omit<LedgerView, 'jobs'>> {
  return await transaction(database, async (client) => {
    await client.query('set transaction isolation level repeatable read read only')
    const now = (await ledgerNow(client)).toISOString()
    const schedules = await loadSchedules(client)
    const { views, champions } = await loadChampions(client)
    return {
      now,
      project,
      views,
      ...(await loadShadows(client, project)),
      champions,
      schedules,
      slots: await loadSlots(client, share, share === 'nights' ? [ledgerSince(schedules, now), now] : []),
      runs: await loadOpenRuns(client, share),
    }
  })
}

async function loadSchedules(client: ClientBase): Promise<Record<string, ScheduleRecord>> {
  const { rows } = await client.query<{
    name: string
    first_seen_at: string
    seen_at: string
    definition: ScheduleDefinition
  }>('select name, first_seen_at, seen_at, definition from nightshift.schedules')
  return Object.fromEntries(
    rows.map((row) => [
      row.name,
      {
        first_seen: row.first_seen_at,
        seen: row.seen_at,
        definition: row.definition,
      },
    ]),
  )
}

async function loadChampions(
  client: ClientBase,
): Promise<{ views: LedgerView['views']; champions: LedgerView['champions'] }> {
  const { rows } = await client.query<{ model: string; version: number; view: string }>(
    `select c.model, c.version, v.view
       from nightshift.champions c join nightshift.versions v on v.model = c.model and v.version = c.version`,
  )
  return {
    views: Object.fromEntries(rows.map((row) => [row.model, [row.view]])),
    champions: Object.fromEntries(rows.map((row) => [row.model, row.version])),
  }
}

/** Challengers, and the views of all versions in shadow, including tonight, if the project still has them. */
async function loadShadows(
  client: ClientBase,
  { models, views }: Project,
): Promise<{ shadow: LedgerView['views']; challengers: Record<string, number[]> }> {
  const warm = (await warmVersions(client)).filter(
    ({ model, nights }) => nights < (models[model]?.rollback.keep_warm_nights ?? 0),
  )
  const active = await activeChallengers(client)
  const shadow: LedgerView['views'] = {}
  for (const { model, view } of [...warm, ...active]) {
    if (views[view] !== undefined) shadow[model] = [...new Set([...(shadow[model] ?? []), view])]
  }
  const challengers: Record<string, number[]> = {}
  for (const { model, version } of active) challengers[model] = [...(challengers[model] ?? []), version]
  return { shadow, challengers }
}

async function loadSlots(client: ClientBase, share: Share, times: string[]): Promise<LedgerSlot[]> {
  sql[share] ??= readFileSync(ownFile(FILES[share]), 'utf8')
  const { rows } = await client.query<LedgerSlot & { view: string | null }>(sql[share], times)
  return rows.map(({ view, ...row }) => ({ ...row, ...(view === null ? {} : { views: [view] }) }))
}

async function loadOpenRuns(client: ClientBase, share: Share): Promise<OpenRun[]> {
  const { rows } = await client.query<
    Omit<OpenRun, 'worker' | 'split'> & { worker: string | null; silent_ms: number | null }
  >(
    `select r.id, r.kind, r.name, r.as_of, r.partition, r.state, r.attempt, r.trigger, r.backfill, r.next_attempt_at, a.worker,
            case when p.id is not null
                 then extract(epoch from clock_timestamp() - coalesce(a.seen_at, p.seen_at)) * 1000 end as silent_ms
       from nightshift.runs r
       left join nightshift.attempts a on a.run = r.id and a.number = r.attempt
       left join nightshift.processes p on p.id = a.worker
      where r.state in ('waiting', 'queued', 'running', 'publishing')
        and ((r.backfill is not null) = $1 or r.state = 'publishing')`,
    [share === 'backfills'],
  )
  const splits = rows.some(({ state }) => state === 'running') ? await openSplits(client) : []
  return rows.map(({ worker, silent_ms, ...row }) => ({
    ...row,
    split: splits.find(({ run, attempt }) => run === row.id && attempt === row.attempt),
    worker:
      worker === null
        ? undefined
        : { id: worker, silent_ms: silent_ms === null ? undefined : Number(silent_ms) },
  }))
}

/**
 * The queue's jobs, of the queues that open runs are in; undefined if the queue does not answer. All of a queue at once: a
 * query for each run would take seconds where a backfill has put thousands there.
 */
async function knownJobs(queues: JobQueues, runs: OpenRun[]): Promise<ReadonlySet<string> | undefined> {
  const queued = runs.filter(({ state }) => state === 'queued' || state === 'running')
  const names = new Set(queued.map(jobQueue))
  try {
    const found = await Promise.all([...names].map((name) => queues.ids(name)))
    return new Set(found.flatMap((ids) => [...ids]))
  } catch {
    return undefined
  }
}
