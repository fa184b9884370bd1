import type { ChildProcess } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { livingWorkers } from '../../src/ledger/workers/living-workers.ts'
import { freePort } from '../alerts/mail-server.ts'
import { nightshift, nightshiftJson, start } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { hasRedis, type RedisServer, startRedis } from '../jobs/redis-server.ts'
import { query } from '../pipeline/feature-case.ts'
import { linesOf } from './blocks.ts'
import { runPage, type Stage } from './run-page.ts'

/*
 * The walk of docs/walks.md in which an engineer deploys for three models, with a month in place of its year: Redis, a scheduler, two
 * workers and the pages as processes of their own, of which one worker is killed and one backfill paused. Two minutes: it belongs to
 * `npm run test:faults -- test/docs/deploying-walk.test.ts`. What `npm test` does with it is in walks.test.ts.
 */
const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const PAGE = 'docs/walks.md'
const MODELS = ['lapse', 'lapse_pro', 'reactivation']
const NIGHTS = 30
const TODAY = Temporal.Now.plainDateISO('UTC')
const ago = (days: number) => TODAY.subtract({ days }).toString()

let folder: string
let root: string
let database: FreshDatabase
let redis: RedisServer | undefined
let stage: Stage
const processes: { child: ChildProcess; gone: Promise<unknown> }[] = []
const at = () => ({ project: root, env: stage.env })
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await nightshift(args, at())
  expect(code, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0)
}

beforeAll(async () => {
  if (!FULL) return
  folder = mkdtempSync(join(tmpdir(), 'nightshift-test-deploying-'))
  root = join(folder, 'team')
  database = await freshDatabase()
  redis = hasRedis ? await startRedis() : undefined
  const env = { DATABASE_URL: database.url, ...(redis === undefined ? {} : { REDIS_URL: redis.url }) }
  stage = { project: root, env, words: { vm: hostname() } }
  mkdirSync(root)
  await run('init', root)
  makeTeam()
})
afterAll(async () => {
  for (const { child } of processes) child.kill('SIGTERM')
  for (const { gone } of processes) await gone
  await redis?.remove()
  await database?.drop()
  if (FULL) rmSync(folder, { recursive: true, force: true })
})

/** Of the shop: a second view, and two models more. */
function makeTeam(): void {
  const change = (path: string, ...changes: [from: string | RegExp, to: string][]) => {
    const file = join(root, path)
    const text = readFileSync(file, 'utf8')
    const changed = changes.reduce((each, [from, to]) => each.replaceAll(from, to), text)
    expect(changed).not.toBe(text)
    writeFileSync(file, changed)
  }
  const copy = (from: string, to: string) => cpSync(join(root, from), join(root, to), { recursive: true })
  copy('features/customer_orders', 'features/pro_orders')
  rmSync(join(root, 'features/pro_orders/examples'), { recursive: true })
  change(
    'features/pro_orders/view.yaml',
    [/^view: customer_orders/gm, 'view: pro_orders'],
    ['min: 100', 'min: 50'],
  )
  change('features/pro_orders/features.sql', ['GROUP BY', "WHERE customers.plan = 'pro'\nGROUP BY"])
  for (const model of MODELS.slice(1)) {
    copy('models/lapse', `models/${model}`)
    change(`models/${model}/model.yaml`, [/^model: lapse$/gm, `model: ${model}`])
  }
  change('models/lapse_pro/model.yaml', [/^view: customer_orders/gm, 'view: pro_orders'])
  change('schedules/nightly.yaml', ['[lapse]', `[${MODELS.join(', ')}]`])
}

/** Starts a role as a process of its own. */
function deploy(...args: string[]): ChildProcess {
  const child = start(args, at())
  for (const stream of [child.stdout, child.stderr]) stream?.resume()
  processes.push({ child, gone: new Promise((gone) => child.once('exit', gone)) })
  return child
}

/** As the walk did: the other models go live too, and each role is a process. */
async function deployAll(): Promise<void> {
  for (const model of MODELS.slice(1)) {
    await run('register', model, join(root, `models/${model}/lapse.onnx`))
    await run('promote', model, '--version', '1', '--override', 'as the first', '--by', 'eva@example.com')
  }
  port = await freePort()
  deploy('scheduler')
  deploy('web', '--port', String(port))
  workers = [deploy('worker'), deploy('worker')]
  await vi.waitFor(async () => expect(await livingWorkers(database.database.pool)).toHaveLength(2), WITHIN)
}
const WITHIN = { timeout: 60_000, interval: 200 }
let port = 0
let workers: ChildProcess[] = []

const backfills = async () => (await nightshiftJson(['backfills'], at())).json
const published = async () =>
  (await backfills()).reduce((sum: number, each: { published: number }) => sum + each.published, 0)

/** While the backfills run: a worker is killed after a quarter, the third backfill is paused and goes on. */
async function disturb(): Promise<void> {
  await vi.waitFor(async () => expect(await published()).toBeGreaterThan((NIGHTS * MODELS.length) / 4), LONG)
  workers[0]?.kill('SIGKILL')
  await run('pause', '3')
  expect((await backfills()).map(({ state }: { state: string }) => state)).toContain('paused')
  const page = await (await fetch(`http://127.0.0.1:${port}/backfills/1`)).text()
  expect(page).toContain(`${NIGHTS} nights`)
  await run('resume', '3')
}
const LONG = { timeout: 300_000, interval: 500 }

test.runIf(FULL)('An engineer deploys for three models, and backfills a month', async () => {
  let disturbed: Promise<void> | undefined
  Object.assign(stage.words, { '2025-11-29': ago(NIGHTS), '2026-11-28': ago(1) })
  stage.before = {
    'nightshift workers': deployAll,
    'nightshift backfill ': () => {
      disturbed = disturb()
      // What it says is asked for below; the command itself goes on.
      disturbed.catch(() => {})
    },
  }
  stage.after = ({ text }, printed) => {
    if (text.endsWith('validate')) expect(printed).toContain('team is valid: 2 views, 3 models, 1 schedule')
    if (text.endsWith('workers')) expect(printed.match(/^worker-\w{8} .* everything$/gm)).toHaveLength(2)
    if (text.includes(' backfill '))
      expect(printed.match(/^backfill \d of \w+: (\d+) of \1 nights published$/gm)).toHaveLength(3)
    if (text.endsWith('incidents')) expect(printed).toBe('no open incidents\n')
  }
  expect(await runPage(PAGE, stage, linesOf(PAGE, 'An engineer deploys'))).toBe(6)
  await disturbed
  for (const model of MODELS) await expectRows(model)
})

/** Each night has a row for each customer of its day, counted in the source itself. */
async function expectRows(model: string): Promise<void> {
  const nights = join(root, 'warehouse/scores', model)
  expect(readdirSync(nights)).toHaveLength(NIGHTS)
  const rows = await query(
    `SELECT as_of::VARCHAR AS night, count(*)::INTEGER AS rows FROM read_parquet('${nights}/*/*.parquet') GROUP BY ALL ORDER BY 1`,
  )
  const isPro = model === 'lapse_pro' ? "AND plan = 'pro'" : ''
  const expected = await query(
    `SELECT night::DATE::VARCHAR AS night, count(*)::INTEGER AS rows
       FROM generate_series(DATE '${ago(NIGHTS)}', DATE '${ago(1)}', INTERVAL 1 DAY) AS nights(night)
       JOIN '${root}/data/customers/*.parquet' ON valid_from < night AND (valid_to IS NULL OR valid_to >= night) ${isPro}
      GROUP BY ALL ORDER BY 1`,
  )
  expect(rows).toEqual(expected)
}
