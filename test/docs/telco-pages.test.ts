import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generate } from '../../fixtures/generate.ts'
import { nightshift, nightshiftJson } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { promoting } from '../promoting.ts'
import { blocksOf, ROOT } from './blocks.ts'
import { proseCommands, runPage, runProse, type Stage } from './run-page.ts'
import { notPrinted } from './shown-output.ts'
import { ABOUT_CHURN } from './staged-pages.ts'

/*
 * Commands of pages on the telecom example with 1,200 customers: in full alone (`npm run test:faults -- test/docs/telco-pages.test.ts`), which takes
 * two minutes, 50 s of them on the processor. Training sets, a retraining, drills and a simulation are among them.
 */
const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const NIGHT = '2026-11-22'
const SOON = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10)
const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-telco-'))
let database: FreshDatabase
let stage: Stage
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await nightshift(args, stage)
  expect(code, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0)
  return stdout
}

beforeAll(async () => {
  database = await freshDatabase()
  for (const part of ['nightshift.yaml', 'features', 'models', 'schedules', 'fixtures/models'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  await generate(join(folder, 'data'), { customers: 1_200, days: 200, until: NIGHT })
  cpSync(join(folder, 'fixtures/models/churn_v2_gbdt.onnx'), join(folder, 'model.onnx'))
  stage = { project: folder, env: { DATABASE_URL: database.url }, words: {} }
  await run('register', 'churn', join(folder, 'fixtures/models/churn_v1_logreg.onnx'))
  await run(...promoting('churn', 1))
  await run('run', 'churn', '--as-of', NIGHT)
})
afterAll(async () => {
  await database?.drop()
  rmSync(folder, { recursive: true, force: true })
})

/** Excuses what the gate says of a version, so that it may go live. */
async function waiveAll(version: string): Promise<void> {
  const { json } = await nightshiftJson(['check', 'churn', '--version', version], stage)
  for (const { id, status } of json.items)
    if (status === 'fail')
      await run(
        'waive',
        'churn',
        id,
        '--until',
        SOON,
        '--reason',
        'a test of a page',
        '--by',
        'ann@example.com',
      )
}

/** The features of a night as a notebook might have them. */
async function notebook(): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT customer_id, tenure_days, '${NIGHT}' AS as_of FROM '${folder}/warehouse/features/customer_activity/as_of=${NIGHT}/features.parquet') TO '${folder}/notebook.csv'`,
  )
  connection.closeSync()
  instance.closeSync()
}

test.runIf(FULL)('docs/training.md', async () => {
  writeFileSync(
    join(folder, 'rows.csv'),
    `customer_id,as_of\n${[1, 2, 3, 5, 8].map((id) => `${id},2026-08-01 12:00:00`).join('\n')}\n`,
  )
  stage.before = {
    'promote churn --version 2': () => waiveAll('2'),
    'parity churn --as-of 2026-10-21': () => run('refresh', 'customer_activity', '--as-of', '2026-10-21'),
    'rollback churn': () => run('run', 'churn', '--as-of', NIGHT, '--force'),
    '--file notebook.csv': notebook,
  }
  await runPage('docs/training.md', stage)
  // What the other pages show is not excused.
  await database.database.pool.query('delete from nightshift.waivers')
})

test.runIf(FULL)('docs/leaks.md, docs/reasons.md and docs/outcomes.md', async () => {
  await run('run', 'churn', '--as-of', '2026-10-10')
  stage.words['2026-11-29'] = NIGHT
  let measured = ''
  stage.after = ({ text }, printed) => {
    if (text.endsWith('outcomes churn --measure')) measured = printed
  }
  for (const page of ['leaks', 'reasons', 'outcomes']) await runPage(`docs/${page}.md`, stage)
  const [shown] = blocksOf('docs/outcomes.md').filter(({ text }) => text.startsWith('as of'))
  expect(notPrinted(shown?.text.split('\n') ?? ['no such block'], measured), measured).toEqual([])
})

test.runIf(FULL)('README: one definition, for training and for serving', async () => {
  await runPage('README.md', stage, (text) => text.includes(' churn '))
})

test.runIf(FULL)('commands within the sentences of all pages that are about churn', async () => {
  const commands = proseCommands().filter(({ text }) => ABOUT_CHURN.test(text))
  expect(commands.length).toBeGreaterThan(3)
  const { json } = await nightshiftJson(['runs', 'churn'], stage)
  Object.assign(stage.words, { RUN: json[0].run, model05: 'churn' })
  stage.ends = {
    'promote churn': { code: 1, why: 'not ready' },
    'check churn': { code: 1, why: 'not ready' },
  }
  await runProse(commands, stage)
})

test.runIf(FULL)('docs/readiness.md and docs/shadow.md', async () => {
  stage.before = {}
  Object.assign(stage.words, { '2026-12-31': SOON, N: '2', FILE: join(folder, 'handoff.html') })
  stage.ends = { 'check churn': { code: 1, why: 'not ready' } }
  await runPage('docs/readiness.md', stage)
  const why = 'only a version that is not live scores in shadow'
  await run('rollback', 'churn', '--reason', why, '--by', 'ann@example.com')
  await runPage('docs/shadow.md', stage)
})

test.runIf(FULL)('docs/simulate.md', async () => {
  // A month of nights is the page's; two nights and one more are enough to see that the commands work.
  Object.assign(stage.words, {
    '2026-09-30': '2026-09-02',
    '2026-10-14': '2026-09-03',
    '2026-09-14': '2026-09-02',
  })
  stage.after = ({ text }, printed) => {
    const made = /simulation ([0-9a-f]{8})/.exec(printed)?.[1]
    if (text.startsWith('npx nightshift simulate churn') && made !== undefined) stage.words.a1b2c3d4 = made
  }
  stage.ends = {
    ...stage.ends,
    'promote churn --version 2 --by ann@example.com --simulation': {
      code: 1,
      why: 'two nights are no fortnight in shadow',
    },
  }
  await runPage('docs/simulate.md', stage)
})
