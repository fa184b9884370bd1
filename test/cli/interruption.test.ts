import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { openProxy } from '../faults/proxy.ts'
import { secondsUntil } from '../faults/record.ts'
import type { TemporaryProject } from '../projects/cdnow.ts'
import { generatedProject, smallModel, valueModel, writeDay } from '../projects/generated.ts'
import { promoting } from '../promoting.ts'
import { CLI, ended, type Finished, nightshift, nightshiftJson, start } from './nightshift.ts'

/** Each customer meets all others twice: some seconds of work for the engine. */
const SLOW = `SELECT e.customer_id, sum(a.amount * b.amount)::FLOAT AS spend, count(*)::FLOAT AS orders
FROM events e, events a, events b WHERE a.customer_id + b.customer_id > e.customer_id GROUP BY e.customer_id
`
const LABELS = `SELECT customer_id, max(amount) > 3 AS label FROM events GROUP BY customer_id
`
const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const CUSTOMERS = 120
const FIRST = '2026-03-02'
const SPAN = ['--from', FIRST, '--to', '2026-03-06', '--every', '1d', '--holdout-from', '2026-03-06']

vi.setConfig({ testTimeout: 240_000 })

let database: FreshDatabase
let project: TemporaryProject
let temporary: string
let env: Record<string, string>
let dataset: string

beforeAll(async () => {
  database = await freshDatabase()
  project = await generatedProject({ customers: CUSTOMERS, sql: SLOW }, smallModel({ work: 4 }))
  await writeDay(project.root, '2026-03-10', CUSTOMERS)
  await project.write('models/value/labels.sql', LABELS)
  await project.write(
    'models/value/model.yaml',
    valueModel(`labels: { sql: labels.sql, horizon: 3d }
`),
  )
  temporary = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
  mkdirSync(join(temporary, 'tmp'))
  env = { DATABASE_URL: database.url, TMPDIR: join(temporary, 'tmp') }
  const built = await nightshiftJson(['dataset', 'value', ...SPAN], at())
  expect(built.code, built.stderr).toBe(0)
  dataset = built.json.id
  const registered = await nightshift(['register', 'value', join(project.root, 'model.onnx')], at())
  expect(registered.code, registered.stderr).toBe(0)
  expect((await nightshift(promoting('value', 1), at())).code).toBe(0)
  const refreshed = await nightshift(['refresh', 'activity', '--as-of', '2026-03-05'], at())
  expect(refreshed.code, refreshed.stderr).toBe(0)
}, 600_000)
afterAll(async () => {
  await project?.remove()
  await database?.drop()
  rmSync(temporary, { recursive: true, force: true })
})

const at = () => ({ project: project.root, env })
const tasks = () => readdirSync(join(temporary, 'tmp')).filter((name) => name.startsWith('nightshift-task-'))
/** The command has a compute child at work. */
const computes = () => secondsUntil(async () => tasks().length > 0, { within: 200 })
const runs = async (partition: string) => {
  const { rows } = await database.database.pool.query<{ id: string; kind: string; state: string }>(
    'select id, kind, state from nightshift.runs where partition = $1 order by created_at',
    [partition],
  )
  return rows
}
const workers = async () => {
  const { rows } = await database.database.pool.query<{ id: string }>('select id from nightshift.processes')
  return rows
}

/** What commands have left: files of tasks and attempts, runs at work, processes. */
async function leftovers(): Promise<string[]> {
  const attempts = join(project.root, 'warehouse/.attempts')
  const { stdout } = spawnSync('find', [attempts, '-mindepth', '1'], { encoding: 'utf8' })
  const { rows } = await database.database.pool.query<{ id: string }>(
    `select id from nightshift.runs where state in ('running', 'publishing')`,
  )
  return [
    ...readdirSync(join(temporary, 'tmp')),
    ...stdout.split('\n').filter((line) => line !== ''),
    ...rows.map(({ id }) => `run ${id}`),
    ...(await workers()).map(({ id }) => `process ${id}`),
  ]
}

/** What is so after each command that was stopped. */
async function expectTidy(): Promise<void> {
  expect(await leftovers()).toEqual([])
}
const lineOf = ({ stderr }: Finished) => stderr.split('\n').filter((line) => line.startsWith('nightshift: '))

describe('a command that hosts its run', () => {
  test.each([
    { signal: 'SIGINT' as const, code: 130, says: 'Ctrl-C' },
    { signal: 'SIGTERM' as const, code: 143, says: 'SIGTERM' },
  ])('hands it back at once on $signal, and the next one goes on with it', async ({ signal, code, says }) => {
    const asOf = signal === 'SIGINT' ? '2026-03-06' : '2026-03-07'
    const command = start(['run', 'value', '--as-of', asOf], at())
    const over = ended(command)
    await secondsUntil(async () => (await runs(asOf)).some(({ state }) => state === 'running'), {
      within: 200,
    })
    await computes()
    command.kill(signal)
    const finished = await over
    expect(finished.code, finished.stderr).toBe(code)
    expect(lineOf(finished)).toEqual([
      expect.stringMatching(
        new RegExp(`^nightshift: stopped by ${says}: .* is queued, and continues once a worker is running`),
      ),
    ])
    await expectTidy()
    const [features] = await runs(asOf)
    expect(features?.state).toBe('queued')
    const { rows } = await database.database.pool.query(
      'select outcome from nightshift.attempts where run = $1',
      [features?.id],
    )
    expect(rows).toEqual([{ outcome: 'handed back' }])

    const again = await nightshiftJson(['refresh', 'activity', '--as-of', asOf], at())
    expect(again.code, again.stderr).toBe(0)
    expect(again.json).toMatchObject({ run: features?.id, state: 'published', attempts: 2 })
  })

  test('says that the run goes on where another worker has it', async () => {
    const worker = start(['worker'], at())
    const workerOver = ended(worker)
    await secondsUntil(async () => (await workers()).length > 0, { within: 200 })
    const command = start(['refresh', 'activity', '--as-of', '2026-03-08'], at())
    const over = ended(command)
    await secondsUntil(async () => (await runs('2026-03-08'))[0]?.state === 'running', { within: 200 })
    command.kill('SIGINT')
    const finished = await over
    expect(finished.code).toBe(130)
    expect(finished.stderr).toContain('goes on without you: nightshift show')
    await secondsUntil(async () => (await runs('2026-03-08'))[0]?.state === 'published', { within: 200 })
    worker.kill('SIGTERM')
    expect((await workerOver).code).toBe(0)
    await expectTidy()
  })

  test('leaves nothing running, whenever the signal comes', async () => {
    for (const [index, ms] of (FULL ? [0, 200, 400, 700, 1100, 1700, 2500] : [200, 700, 1700]).entries()) {
      const command = start(['run', 'value', '--as-of', '2026-03-09'], at())
      const over = ended(command)
      await new Promise((later) => setTimeout(later, ms))
      command.kill(index % 2 === 0 ? 'SIGTERM' : 'SIGINT')
      const finished = await over
      const early = finished.code === null
      // Before the program itself has begun, the signal does what it does to any program.
      if (!early) {
        expect([130, 143, 0], finished.stderr).toContain(finished.code)
        if (finished.code !== 0) expect(lineOf(finished)).toHaveLength(1)
      }
      await expectTidy()
    }
    const again = await nightshiftJson(['run', 'value', '--as-of', '2026-03-09'], at())
    expect(again.code, again.stderr).toBe(0)
    expect(again.json.state).toBe('published')
  })
})

describe('a command that computes by itself', () => {
  const model = () => join(project.root, 'model.onnx')
  test.each<[string, () => string[]]>([
    ['dataset', () => ['dataset', 'value', ...SPAN]],
    ['register', () => ['register', 'value', model(), '--as-of', '2026-03-03']],
    ['parity', () => ['parity', 'value', '--as-of', '2026-03-05']],
    ['evaluate', () => ['evaluate', 'value', '--version', '1', '--dataset', dataset]],
    ['validate', () => ['validate', '--leaks', 'value', '--as-of', '2026-03-05']],
    ['backfill, while it plans', () => ['backfill', 'value', '--from', FIRST, '--to', '2026-03-07', '--yes']],
  ])('%s stops, keeps nothing, and says so in one line', async (name, args) => {
    const before = await counts()
    const [signal, code] = name.length % 2 === 0 ? (['SIGINT', 130] as const) : (['SIGTERM', 143] as const)
    {
      const command = start(args(), at())
      const over = ended(command)
      await computes()
      command.kill(signal)
      const finished = await over
      expect(finished.code, finished.stderr).toBe(code)
      expect(finished.stdout).toBe('')
      expect(lineOf(finished)).toEqual([
        `nightshift: stopped by ${signal === 'SIGINT' ? 'Ctrl-C' : signal}: unfinished work was discarded; run the same command again`,
      ])
      await expectTidy()
    }
    expect(await counts()).toEqual(before)
  })

  async function counts() {
    const { rows } = await database.database.pool.query(
      `select (select count(*)::int from nightshift.versions) as versions,
              (select count(*)::int from nightshift.certificates) as parity,
              (select count(*)::int from nightshift.evaluations) as evaluations,
              (select count(*)::int from nightshift.backfills) as backfills`,
    )
    return { ...rows[0], datasets: readdirSync(join(project.root, 'warehouse/datasets/value')) }
  }
})

test('a backfill that is left is handed back and goes on with resume', async () => {
  const args = ['backfill', 'value', '--from', '2026-03-01', '--to', '2026-03-03', '--yes']
  const command = start(args, at())
  const over = ended(command)
  const running = async () =>
    (
      await database.database.pool.query(
        `select from nightshift.runs where backfill is not null and state = 'running'`,
      )
    ).rows.length > 0
  await secondsUntil(running, { within: 200 })
  command.kill('SIGINT')
  const finished = await over
  expect(finished.code, finished.stderr).toBe(130)
  expect(lineOf(finished)).toEqual([
    expect.stringMatching(
      /backfill (\d+) continues once a worker is running .* nightshift resume \1; nightshift cancel \1 ends it$/,
    ),
  ])
  await expectTidy()
  const id = /backfill (\d+)/.exec(finished.stderr)?.[1] ?? ''
  expect((await nightshift(['cancel', id], at())).code).toBe(0)
})

/** A command on a terminal of its own, that Ctrl-C is typed into. */
function onTerminal(args: string[]): { terminal: ChildProcess; over: Promise<Finished>; said: () => string } {
  const quoted = [process.execPath, CLI, ...args, '--project', project.root].map((each) => `'${each}'`)
  const terminal = spawn('script', ['-qefc', quoted.join(' '), '/dev/null'], {
    env: { ...process.env, ...env, REDIS_URL: '', SMTP_URL: '', TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let text = ''
  terminal.stdout?.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  return { terminal, over: ended(terminal), said: () => text }
}
const CTRL_C = '\x03'
const HIDE = '\x1b[?25l'
const SHOW = '\x1b[?25h'
const NO_WRAP = '\x1b[?7l'
const WRAP = '\x1b[?7h'

describe('on a terminal', () => {
  let asOf = 10
  let args: string[]
  beforeEach(() => {
    args = ['refresh', 'activity', '--as-of', `2026-03-${++asOf}`]
  })

  test.each([1, 2])('%i times Ctrl-C leave cursor and line wrap as they were', async (times) => {
    const { terminal, over, said } = onTerminal(args)
    await secondsUntil(async () => said().includes(HIDE), { within: 200 })
    for (let press = 0; press < times; press++) terminal.stdin?.write(CTRL_C)
    const { code, stdout } = await over
    expect(code, stdout).toBe(130)
    expect(stdout.lastIndexOf(SHOW)).toBeGreaterThan(stdout.lastIndexOf(HIDE))
    expect(stdout.lastIndexOf(WRAP)).toBeGreaterThan(stdout.lastIndexOf(NO_WRAP))
    if (times === 1) expect(stdout).toMatch(/nightshift: stopped by Ctrl-C: .*\r\n$/)
  })

  test.each([
    {
      question: /run \d nights\? \[y\/N\]/,
      args: ['backfill', 'value', '--from', FIRST, '--to', '2026-03-04', '--all'],
    },
    { question: /Password of ann/, args: ['user', 'add', 'ann', '--role', 'viewer'] },
  ])(
    'Ctrl-C at the question "$question" ends the command, and nothing has begun',
    async ({ question, args }) => {
      // Whoever was stopped twice above has tidied nothing.
      const before = await leftovers()
      const { terminal, over, said } = onTerminal(args)
      await secondsUntil(async () => question.test(said()), { within: 200 })
      terminal.stdin?.write(CTRL_C)
      const { code, stdout } = await over
      expect(code, stdout).toBe(130)
      expect(stdout).toContain('nightshift: stopped by Ctrl-C: unfinished work was discarded')
      expect((await leftovers()).filter((each) => !before.includes(each))).toEqual([])
    },
  )

  test('no answer to a question is a no', async () => {
    const { terminal, over, said } = onTerminal([
      'backfill',
      'value',
      '--from',
      FIRST,
      '--to',
      '2026-03-04',
      '--all',
    ])
    await secondsUntil(async () => /run \d nights\? \[y\/N\]/.test(said()), { within: 200 })
    terminal.stdin?.write('\x04')
    expect((await over).code).toBe(2)
  })
})

test('ends at once at the second signal, even where its ledger does not answer', async () => {
  const proxy = await openProxy(database.url)
  const asOf = '2026-03-04'
  const command = start(['refresh', 'activity', '--as-of', asOf], {
    project: project.root,
    env: { ...env, DATABASE_URL: proxy.url },
  })
  const over = ended(command)
  await secondsUntil(async () => (await runs(asOf))[0]?.state === 'running', { within: 200 })
  await computes()
  // Nothing comes through any more: no answer of the ledger ends the command.
  void proxy.freeze(600_000)
  command.kill('SIGINT')
  await secondsUntil(async () => tasks().length === 0, { within: 200 })
  command.kill('SIGINT')
  const finished = await over
  expect(finished.code).toBe(130)
  await proxy.close()
  // Nobody has handed it back: it is taken for lost, and goes on all the same.
  const again = await nightshiftJson(['refresh', 'activity', '--as-of', asOf], at())
  expect(again.json.state, again.stderr).toBe('published')
})
