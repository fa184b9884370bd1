import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { writeParquet } from '../projects/generated.ts'
import { blocksOf } from './blocks.ts'
import { pythonWith, runOverSet } from './python.ts'
import { runPage, type Stage } from './run-page.ts'
import { notPrinted } from './shown-output.ts'

/*
 * Takes more than 10 s: some fifteen commands, in full thirty, of which half compute features in the shop that `init` writes.
 */
const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const python = FULL ? pythonWith('sklearn', 'pandas') : undefined
if (FULL && python === undefined)
  console.warn('skipped: no Python has sklearn and pandas, and docs/notebooks.md trains nothing')
const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-pages-'))
const databases: FreshDatabase[] = []

afterAll(async () => {
  for (const database of databases) await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

/** An empty folder with a ledger of its own, for the pages that begin with `init`. */
async function empty(name: string): Promise<Stage> {
  const database = await freshDatabase()
  databases.push(database)
  const at = join(folder, name)
  return {
    project: at,
    env: { DATABASE_URL: database.url },
    words: {
      shop: join(at, 'shop'),
      mine: join(at, 'mine'),
      PATH: join(at, 'shop/data'),
      'FILE.onnx': join(at, 'shop/models/lapse/lapse.onnx'),
      YOU: 'ann@example.com',
    },
  }
}

let printed = ''
let shop: Stage
beforeAll(async () => {
  shop = await empty('quick')
  shop.words = {
    ...shop.words,
    MODEL: 'lapse',
    'model.onnx': join(shop.project, 'shop/models/lapse/lapse.onnx'),
    'mine.sql': join(shop.project, 'shop/features/customer_orders/features.sql'),
    lake: join(shop.project, 'lake'),
    'lake/orders/**/*.parquet': join(shop.project, 'lake/orders/**/*.parquet'),
    'customers.csv': join(shop.project, 'customers.csv'),
    churn: join(shop.project, 'churn'),
    '2026-01-01': ago(230),
    '2026-10-01': ago(95),
    '2026-08-01': ago(120),
    '2026-11-01': ago(29),
  }
})

/** What `init --data` is asked to propose a project for, over the shop's own rows; its folder is made anew. */
function freshData(at: string): void {
  rmSync(join(at, 'churn'), { recursive: true, force: true })
  cpSync(join(at, 'shop/data'), join(at, 'lake'), { recursive: true })
  mkdirSync(at, { recursive: true })
  const rows = Array.from(
    { length: 400 },
    (_, i) => `${i + 1},A${1000 + i},${['basic', 'plus', 'pro'][i % 3]},${i % 5 === 0}`,
  )
  writeFileSync(join(at, 'customers.csv'), `customer_id,account_no,plan,churned\n${rows.join('\n')}\n`)
}

/** A date so many days ago: the data of the shop ends yesterday. */
const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)

test('README: your own model, in five minutes', async () => {
  const stage = await empty('readme')
  expect(await runPage('README.md', stage, (text) => !text.includes(' churn '))).toBeGreaterThan(6)
})

test('docs/quick-start.md', async () => {
  shop.before = { 'init churn': () => freshData(join(folder, 'quick')) }
  shop.after = ({ text }, stdout) => {
    if (text.endsWith('--as-of latest --version 1')) printed = stdout
  }
  // Nothing has shown yet that the version is fit to go live.
  shop.ends = { 'check lapse': { code: 1, why: 'not ready' }, 'check MODEL': { code: 1, why: 'not ready' } }
  shop.stays = { 'nightshift web': /http:\/\/127\.0\.0\.1:\d+/ }
  await runPage('docs/quick-start.md', shop)
  const [output] = blocksOf('docs/quick-start.md').filter(({ text }) => text.startsWith('lapse 2026'))
  expect(notPrinted(output?.text.split('\n') ?? ['no such block'], printed)).toEqual([])
})

test.runIf(FULL)('docs/exporting-models.md and docs/notebooks.md, in the same shop', async () => {
  await writeParquet(
    join(shop.project, 'rows.parquet'),
    `SELECT (i % 400 + 1)::INTEGER AS customer_id, TIMESTAMP '${ago(125)} 12:00:00' + INTERVAL (i * 37 % 86) DAY AS as_of FROM range(2000) t(i)`,
  )
  await runPage('docs/exporting-models.md', shop)
  await runPage('docs/notebooks.md', shop)
})

test.runIf(python !== undefined)(
  'the training of docs/notebooks.md runs on the set that the page makes',
  async () => {
    const program =
      blocksOf('docs/notebooks.md').find(({ text }) => text.includes('roc_auc_score('))?.text ?? ''
    const inPage = /datasets\/lapse\/([0-9a-f]{12})/.exec(program)?.[1] ?? 'none'
    const set = join(shop.project, 'warehouse/datasets/lapse', String(shop.words[inPage]))
    const folderLine = /^folder = .*$/m
    expect(program).toMatch(folderLine)
    const last = program.trim().split('\n').at(-1) ?? ''
    const here = program
      .replace(folderLine, `folder = ${JSON.stringify(set)}`)
      .replace(last, `print(${last.split('#')[0]})`)
    const auc = Number(await runOverSet(python ?? '', here, set))
    expect(auc).toBeGreaterThan(0.7)
    expect(auc).toBeLessThanOrEqual(1)
  },
)
