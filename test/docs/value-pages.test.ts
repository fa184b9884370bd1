import { join } from 'node:path'
import { hashSync } from 'bcryptjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BackfillPlan } from '../../src/jobs/backfills/plan-backfill.ts'
import { startBackfill } from '../../src/jobs/backfills/start-backfill.ts'
import { parseAsOf } from '../../src/project/time/asof.ts'
import { nightshift, nightshiftJson } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, writeDay, writeParquet } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { proseCommands, runPage, runProse, type Stage } from './run-page.ts'
import { ABOUT_CHURN } from './staged-pages.ts'

/*
 * Takes more than 10 s: forty commands on a hundred customers, and four workers and web servers, each a process of its own.
 */
let database: FreshDatabase
let project: TemporaryProject
let stage: Stage

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject({ view: 'columns: { spend: { max: 100 } }\n' })
  stage = {
    project: project.root,
    env: { DATABASE_URL: database.url },
    asks: ['nightshift backfill MODEL', 'nightshift adopt'],
    words: { MODEL: 'value', churn: 'value', YOU: 'ann@example.com', WHY: 'the orders are real' },
  }
  await run('register', 'value', join(project.root, 'model.onnx'))
  await run(...promoting('value', 1))
})
afterAll(async () => {
  await project?.remove()
  await database?.drop()
})

async function run(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await nightshift(args, stage)
  expect(code, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0)
}

/** A night whose features are held, since a customer spends more than is believed. Returns the run that is held. */
async function hold(asOf: string): Promise<string> {
  await writeParquet(
    join(project.root, 'data/events/date=2026-03-02/events.parquet'),
    `SELECT i AS customer_id, TIMESTAMP '2026-03-02 12:00:00' AS happened_at, 900::DOUBLE AS amount FROM range(100) t(i)`,
  )
  const { json } = await nightshiftJson(['run', 'value', '--as-of', asOf], stage)
  expect(json.state).toBe('held')
  return json.run
}

/** Begins a backfill of a night that nothing has run. Returns its number. */
async function begin(asOf: string): Promise<string> {
  const step = { as_of: asOf, action: 'run', reason: 'missing', version: 1, replaces: null } as const
  const plan: BackfillPlan = {
    kind: 'scores',
    name: 'value',
    slots: [step],
    version: 1,
    estimate_seconds: null,
    rows: null,
    refresh: [{ view: 'activity', as_of: asOf, reason: 'missing' }],
  }
  const settings = { attempts: 1, backoff_ms: 1, wait_until: null, timeout_ms: 600_000 }
  const how = { mode: 'missing', maxActive: 1, settings, by: null } as const
  return String(await startBackfill(database.database, plan, [parseAsOf(asOf, 'UTC')], how))
}

test('docs/nights.md', async () => {
  await writeDay(project.root, '2026-03-02')
  await writeDay(project.root, '2026-03-03')
  await run('run', 'value', '--as-of', '2026-03-04')
  await run('run', 'value', '--as-of', '2026-03-05')
  await writeParquet(
    join(project.root, 'data/events/date=2026-03-03/late.parquet'),
    `SELECT 7 AS customer_id, TIMESTAMP '2026-03-03 13:00:00' AS happened_at, 1::DOUBLE AS amount`,
  )
  stage.words.D = '2026-03-05'
  // Each has begun, and the process that followed it is gone; whoever follows one works on all.
  let begun: Promise<string> | undefined
  stage.words.N = (command) => {
    if (command.includes('backfill ')) return '1'
    if (command.includes('cancel')) return begin('2026-03-09')
    begun ??= begin('2026-03-08')
    return begun
  }
  await runPage('docs/nights.md', stage)
})

test('docs/operating.md', async () => {
  const [mended, released, given] = [await hold('2026-03-10'), await hold('2026-03-11'), '2026-03-12']
  await hold(given)
  stage.words = {
    ...stage.words,
    RUN: (command) => (command.includes('release') ? released : mended),
    'NAME:AS-OF': `value:${given}`,
    INCIDENT: async () => {
      await hold('2026-03-13')
      const { json } = await nightshiftJson(['incidents'], stage)
      return String(json[0].incident)
    },
  }
  stage.before = { 'retry RUN': () => writeDay(project.root, '2026-03-02') }
  await runPage('docs/operating.md', stage)
})

test('docs/monitoring.md and docs/scale.md', async () => {
  stage.env.NIGHTSHIFT_USERS = `ann:operator:${hashSync('correct horse battery', 4)}`
  stage.stays = { 'nightshift web': /http:\/\/0\.0\.0\.0:\d+/, 'nightshift worker ': /worker/ }
  await runPage('docs/monitoring.md', stage)
  await runPage('docs/scale.md', stage)
})

test('commands within the sentences of all pages', async () => {
  const commands = proseCommands().filter(({ text }) => !ABOUT_CHURN.test(text))
  expect(commands.length).toBeGreaterThan(25)
  delete stage.env.NIGHTSHIFT_USERS
  // Of the rows as they are now: other pages have changed them.
  await writeDay(project.root, '2026-03-02')
  await run('run', 'value', '--as-of', '2026-03-06')
  const { json } = await nightshiftJson(['runs', 'value', '--state', 'published'], stage)
  const copy = join(project.root, 'ledger.copy')
  const another = await freshDatabase()
  Object.assign(stage.words, {
    model05: 'value',
    s05n0010: json[0].run,
    VIEW: 'activity',
    NAME: 'value',
    D: '2026-03-06',
    FILE: copy,
    // Without a schedule the latest night is that of today, for which there are no rows.
    latest: '2026-03-06',
    '12': '1',
  })
  stage.stays = { 'nightshift scheduler': /./, 'nightshift up': /http:/ }
  const own = stage.env.DATABASE_URL ?? ''
  stage.before = {
    'ledger restore': () => {
      stage.env.DATABASE_URL = another.url
    },
    'ledger ls': () => {
      stage.env.DATABASE_URL = own
    },
  }
  stage.ends = {}
  await runProse(commands, stage).finally(another.drop)
})
