import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { requestFeatures } from '../../src/jobs/request-run.ts'
import { readRunId } from '../../src/pipeline/partition/footer.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { ended, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { type GeneratedOptions, generatedProject } from '../projects/generated.ts'
import { openStorage, type Storage } from '../workers/objects/storage.ts'
import { secondsUntil } from './record.ts'

export type Worker = ReturnType<typeof start>

/** A project whose warehouse is a bucket, with one worker of one place, and somebody who reads the bucket alone. */
export interface BucketOfNights {
  storage: Storage
  database: FreshDatabase
  root: string
  worker(): Worker
  /** Starts another worker, which is `worker()` from then on. */
  hire(): void
  /** Asks for the features of a night, of the next one where none is given. */
  ask(label?: string): Promise<{ id: string; label: string }>
  runOf(id: string): Promise<{ state: string; attempts: number; standings: number } | undefined>
  /** Waits until a run is published. Returns the seconds. */
  published(id: string, within?: number): Promise<number>
  /** The run of the whole file that a reader gets who knows the storage alone; undefined: there is none. */
  seen(label: string): Promise<string | undefined>
  close(): Promise<void>
}

export const stable = (label: string) => `results/features/activity/as_of=${label}/features.parquet`

/** What a request to the storage is recognised by. */
export type Request = Pick<IncomingMessage, 'method' | 'url' | 'headers'>
export const copies = ({ headers }: Request) => headers['x-amz-copy-source'] !== undefined
export const to = ({ url = '' }: Request, folder: string) => url.startsWith(`/nights/results/${folder}/`)

/** `events`: the path of the source where it is not the usual one. */
export async function openBucketOfNights(
  options: GeneratedOptions & { events?: string } = {},
): Promise<BucketOfNights> {
  const storage = await openStorage()
  const database = await freshDatabase()
  const project = await generatedProject({ customers: 100, ...options })
  const reader = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
  await project.write(
    'nightshift.yaml',
    `project: generated
timezone: UTC
warehouse: s3://nights/results
alerts: { from: nightshift@example.com, base_url: "http://localhost:8080", group: 1s }
`,
  )
  if (options.events !== undefined)
    await project.write(
      'features/activity/view.yaml',
      `view: activity
entity: customer_id
owner: data@example.com
sources:
  events: { path: "${options.events}", kind: events, event_time: happened_at }
`,
    )
  let night = Temporal.PlainDate.from('2026-03-02')
  let worker: Worker
  const hired: Worker[] = []
  const hire = () => {
    const env = { ...storage.env, DATABASE_URL: database.url }
    worker = start(['worker', '--places', '1'], { project: project.root, env })
    hired.push(worker)
    void ended(worker)
  }
  hire()
  const next = () => {
    const label = night.toString()
    night = night.add({ days: 1 })
    return label
  }
  const runOf: BucketOfNights['runOf'] = async (id) => {
    const { rows } = await database.database.pool.query<{
      state: string
      attempts: number
      standings: number
    }>(
      `select state, (select count(*)::int from nightshift.attempts a where a.run = r.id) as attempts,
              (select count(*)::int from nightshift.standings t where t.run = r.id) as standings
         from nightshift.runs r where id = $1`,
      [id],
    )
    return rows[0]
  }
  return {
    storage,
    database,
    root: project.root,
    worker: () => worker,
    hire,
    async ask(label = next()) {
      const id = `${label.replaceAll('-', '')}N${Math.random().toString(36).slice(2, 6)}`
      await requestFeatures(database.database, 'activity', parseAsOf(label, 'UTC'), {
        id,
        trigger: 'manual',
        forced: true,
        settings: { attempts: 3, backoff_ms: 0, timeout_ms: 60_000, wait_until: null },
      })
      return { id, label }
    },
    runOf,
    published: (id, within = 120) =>
      secondsUntil(async () => (await runOf(id))?.state === 'published', { within }),
    async seen(label) {
      const body = await storage.get(stable(label))
      if (body === undefined) return undefined
      const path = join(reader, 'read.parquet')
      writeFileSync(path, body)
      const run = await readRunId(path)
      if (run === undefined) throw new Error(`${stable(label)} is no whole file: ${body.length} bytes`)
      return run
    },
    async close() {
      // Also those that a test stopped and, failing, did not end.
      for (const each of hired) each.kill('SIGKILL')
      await project.remove()
      await database.drop()
      await storage.close()
      rmSync(reader, { recursive: true, force: true })
    },
  }
}
