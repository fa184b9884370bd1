import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { refusals } from '../../src/readiness/runbook/own-program.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { CDNOW, HAS_CDNOW } from '../projects/cdnow.ts'
import { blocksOf, commandsOf, commandsWithin, linesOf, wordsOf } from './blocks.ts'
import { pythonWith, runOverSet } from './python.ts'
import { runPage, type Stage } from './run-page.ts'

/*
 * The walks of docs/walks.md, over the data sets with which they were made where those are there. That of the telephone company trains with
 * scikit-learn and belongs to `npm run test:faults -- test/docs/walks.test.ts`; that of three models is in deploying-walk.test.ts.
 */
const PAGE = 'docs/walks.md'
const FULL = process.env.NIGHTSHIFT_FAULTS === 'full'
const TELCO = resolve(CDNOW, '../telco')
const python = FULL ? pythonWith('sklearn', 'onnx', 'pandas') : undefined
const hasTelco = existsSync(TELCO)
if (!HAS_CDNOW) console.warn(`skipped: ${CDNOW} is not there, and its walk is not made`)
if (FULL && !hasTelco) console.warn(`skipped: ${TELCO} is not there, and its walk is not made`)
if (FULL && python === undefined)
  console.warn('skipped: no Python has sklearn, onnx and pandas, and the walk that trains is not made')

const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-walks-'))
let database: FreshDatabase
let stage: Stage
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(async () => {
  await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

/** Files of a data set, and the project that is made of them. */
function walkOf(name: string, data: string, files: string[], url: string): Stage {
  return {
    project: folder,
    env: { DATABASE_URL: url },
    words: {
      [name]: join(folder, name),
      ...Object.fromEntries(files.map((file) => [`DATA/${name}/${file}`, join(data, file)])),
    },
  }
}

test('every command of the walks is legal today', async () => {
  const commands = [...blocksOf(PAGE).flatMap(commandsOf), ...commandsWithin(PAGE)]
    .map((command) => ({ ...command, words: wordsOf(command.text.replace(/^npx /, '')) }))
    .filter(({ words: [program] }) => program === 'nightshift')
  expect(commands.length).toBeGreaterThan(15)
  const answers = await refusals(commands.map(({ words }) => words.slice(1)))
  expect(
    commands.flatMap(({ line, text }, index) =>
      answers[index] == null ? [] : [`${PAGE}:${line}: ${text}: ${answers[index]}`],
    ),
  ).toEqual([])
})

test.skipIf(!HAS_CDNOW)('cdnow: Parquet, SQL and a model that are there', async () => {
  const files = ['purchases.parquet', 'features.sql', 'lapse_v1_gbdt.onnx']
  stage = walkOf('cdnow', CDNOW, files, database.url)
  stage.before = {
    validate: () => cpSync(join(CDNOW, 'labels.sql'), join(folder, 'cdnow/models/lapsed/labels.sql')),
  }
  expect(await runPage(PAGE, stage, linesOf(PAGE, 'cdnow:'))).toBe(7)
})

test.runIf(FULL && hasTelco && python !== undefined)(
  'telco: a CSV file, and a model of its own',
  async () => {
    const another = await freshDatabase()
    try {
      stage = walkOf('telco', TELCO, ['Telco-Customer-Churn.csv'], another.url)
      const root = join(folder, 'telco')
      stage.before = {
        'dataset churn': () => edit(root),
        'register churn': () => train(root),
      }
      expect(await runPage(PAGE, stage, linesOf(PAGE, 'telco:'))).toBe(8)
    } finally {
      await another.drop()
    }
  },
)

/** The two columns and the inputs that the page adds. */
function edit(root: string): void {
  const blocks = blocksOf(PAGE)
  const sql = blocks.find(({ language }) => language === 'sql')?.text ?? ''
  const inputs = blocks.find(({ text }) => text.startsWith('inputs:'))?.text ?? ''
  const [features, model] = [join(root, FEATURES), join(root, 'models/churn/model.yaml')]
  writeFileSync(
    features,
    readFileSync(features, 'utf8').replace(/^SELECT.*\n/m, (line) => `${line}${sql}`),
  )
  writeFileSync(model, `${readFileSync(model, 'utf8').replace(/^inputs:.*\n(?: .*\n)*/m, '')}\n${inputs}`)
}

const FEATURES = 'features/customer_features/features.sql'

/** Runs the page's train.py. */
async function train(root: string): Promise<void> {
  const [program = ''] = blocksOf(PAGE).flatMap(({ language, text }) => (language === 'python' ? [text] : []))
  const set = join(root, 'warehouse/datasets/churn', String(stage.words.ID))
  const file = join(root, 'churn.onnx')
  const printed = await runOverSet(python ?? '', program, set, [set, file])
  expect(Number(/^holdout AUC (0\.\d+)/.exec(printed)?.[1])).toBeGreaterThan(0.8)
  stage.words['churn.onnx'] = file
}
