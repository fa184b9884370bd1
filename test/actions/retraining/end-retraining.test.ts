import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askGate } from '../../../src/actions/ask-gate.ts'
import { registerVersion } from '../../../src/actions/register-version.ts'
import { carryOut } from '../../../src/actions/retraining/end-retraining.ts'
import {
  claimRetraining,
  endLostCommands,
  listRetrainings,
  requestRetraining,
} from '../../../src/monitoring/retraining/record.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { listVersions } from '../../../src/registry/version-records.ts'
import { withChild } from '../../../src/workers/child/with-child.ts'
import { type FreshDatabase, freshDatabase } from '../../database/fresh.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, smallModel, valueModel, writeDay } from '../../projects/generated.ts'

const DAY_MS = 86_400_000
const dayBefore = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10)

const modelYaml = (retrain: string) =>
  valueModel(`labels: { sql: labels.sql, horizon: 1d }
${retrain}`)
const DATASET = 'dataset: { span: 4d, every: 1d, holdout: 2d }'
const RETRAIN = `retrain: { command: [node, train.mjs], when: { age: 90d }, env: [TOKEN], ${DATASET} }\n`
/** Stands for a training: the file that it copies lies beside it. */
const TRAIN = `import { copyFileSync, existsSync } from 'node:fs'
if (!existsSync(process.env.NIGHTSHIFT_TRAIN)) throw new Error('no rows')
console.log('trained with', process.env.TOKEN, Object.keys(process.env).includes('SECRET'))
copyFileSync('next.onnx', process.env.NIGHTSHIFT_OUT)
`

let project: TemporaryProject
let fresh: FreshDatabase

beforeAll(async () => {
  project = await generatedProject({ customers: 60 })
  for (let day = 1; day <= 12; day++) await writeDay(project.root, dayBefore(day), 60)
  await project.write(
    'models/value/labels.sql',
    'SELECT customer_id, max((customer_id % 3 = 0)::INTEGER) AS called FROM events GROUP BY customer_id\n',
  )
  await project.write('models/value/model.yaml', modelYaml(''))
  await project.write('models/value/train.mjs', TRAIN)
  writeFileSync(join(project.root, 'models/value/next.onnx'), smallModel({ work: 1, width: 8 }))
  fresh = await freshDatabase()
  const { models } = openProject(project.root)
  if (models.value === undefined) throw new Error('expected the model value')
  await registerVersion(ledger(), models.value, join(project.root, 'model.onnx'), { by: null })
})

afterAll(async () => {
  await fresh.drop()
  await project.remove()
})

const ledger = () => ({ project: openProject(project.root), database: fresh.database })

function modelNow() {
  const model = ledger().project.models.value
  if (model === undefined) throw new Error('expected the model value')
  return model
}

async function retrain(
  dryRun: boolean,
  variables: Record<string, string | undefined> = { TOKEN: 'let-me-in' },
) {
  const process_ = `test-${randomUUID()}`
  const asked = await requestRetraining(fresh.database.pool, {
    model: 'value',
    trigger: 'hand',
    reason: 'the test asks for it',
    dry_run: dryRun,
    by: 'ann@example.com',
  })
  const retraining = asked && (await claimRetraining(fresh.database.pool, asked.id, process_))
  if (retraining === undefined) throw new Error('another retraining is open')
  return carryOut(ledger(), modelNow(), {
    retraining,
    process: process_,
    variables: { PATH: process.env.PATH, SECRET: 'not yours', ...variables },
    signal: new AbortController().signal,
  })
}

async function item() {
  const gate = await withChild(undefined, (children) => askGate(ledger(), modelNow(), undefined, children))
  const found = gate.items.find(({ id }) => id === 'retraining')
  return `${found?.status}: ${found?.evidence}`
}

const mails = async () =>
  (
    await fresh.database.pool.query<{ subject: string; recipient: string }>(
      'select subject, recipient from nightshift.outbox order by id',
    )
  ).rows

test('the gate wants a trigger and a try of what runs today, and says which is missing', async () => {
  expect(await item()).toBe('fail: model.yaml says neither how the model is trained again nor when')
  await project.write(
    'models/value/model.yaml',
    modelYaml(`retrain: { command: [node, train.mjs], ${DATASET} }\n`),
  )
  expect(await item()).toBe(
    'fail: `retrain.when` declares no trigger: a retraining would only ever begin by hand',
  )
  await project.write('models/value/model.yaml', modelYaml(RETRAIN))
  expect(await item()).toBe('fail: the command was never tried: no dry run is on record')
})

test('a dry run tries the model, registers nothing, mails nobody, and is evidence', async () => {
  expect(await retrain(true)).toMatchObject({ state: 'done', retrained: { version: null } })
  expect(await listVersions(fresh.database.pool, 'value')).toHaveLength(1)
  expect(await mails()).toEqual([])
  const [record] = await listRetrainings(fresh.database.pool, 'value')
  expect(readFileSync(join(project.root, 'warehouse', record?.log ?? ''), 'utf8')).toBe(
    'trained with let-me-in false\n',
  )
  expect(existsSync(join(project.root, 'warehouse', record?.log ?? '', '../model.onnx'))).toBe(false)
  expect(await item()).toMatch(
    /^pass: begins by an age of 90d; the dry run of \d{4}-\d\d-\d\d \(number 1\) made a valid model, tried on 60 real rows/,
  )
})

test('an edited script, an edited view and a failed try are no evidence', async () => {
  await project.write('models/value/train.mjs', `${TRAIN}\nthrow new Error('no column nps')\n`)
  expect(await item()).toMatch(
    /^fail: the command or its files have changed since the last try of \S+ \(number 1\): what runs now was never tried$/,
  )
  expect(await retrain(true)).toMatchObject({
    state: 'failed',
    outcome: expect.stringContaining('no column nps'),
  })
  expect(await item()).toMatch(
    /^fail: the dry run of \S+ \(number 2\) failed: the command `node train.mjs` ended with exit code 1/,
  )
  await project.write('models/value/train.mjs', TRAIN)
  expect(await item()).toMatch(/^pass: /)
  const view = 'features/activity/features.sql'
  const sql = readFileSync(join(project.root, view), 'utf8')
  await project.write(view, sql.replace('sum(amount)', 'sum(amount + 1)'))
  expect(await item()).toMatch(/^fail: the view has changed since the last try/)
  await project.write(view, sql)
})

test('a command that hands back the file of another version has not trained', async () => {
  await project.write('models/value/train.mjs', TRAIN.replace("'next.onnx'", "'../../model.onnx'"))
  expect(await retrain(true)).toMatchObject({
    state: 'failed',
    outcome: expect.stringMatching(
      /wrote the file of version 1 again, which was registered without a training set: it was not trained on/,
    ),
  })
  await project.write(
    'models/value/train.mjs',
    "import { writeFileSync } from 'node:fs'\nwriteFileSync(process.env.NIGHTSHIFT_OUT, 'no model')\n",
  )
  expect(await retrain(true)).toMatchObject({ state: 'failed' })
  await project.write('models/value/train.mjs', 'console.log("nothing")\n')
  expect(await retrain(true)).toMatchObject({
    outcome: expect.stringContaining('expected the ONNX file at the path in NIGHTSHIFT_OUT'),
  })
  expect(await retrain(true, {})).toMatchObject({
    outcome:
      'retrain.env in models/value/model.yaml: expected TOKEN to be set where the worker (or this command) runs, got: unset',
  })
  await project.write('models/value/train.mjs', TRAIN)
})

test('a retraining registers and evaluates the new version with its training set, and is mailed', async () => {
  const done = await retrain(false)
  expect(done).toMatchObject({ state: 'done', retrained: { version: 2, passed: true } })
  const [version] = await listVersions(fresh.database.pool, 'value')
  expect(version).toMatchObject({ version: 2, dataset: expect.any(String), registered_by: 'ann@example.com' })
  expect(await mails()).toEqual(
    ['crm@example.com', 'oncall@example.com'].map((recipient) => ({
      recipient,
      subject: 'value: retraining done',
    })),
  )
  expect(await item()).toMatch(/^pass: .* made version 2$/)
})

test('one retraining of a model runs at a time; one that was lost is taken over, and given up after the second loss', async () => {
  const { pool } = fresh.database
  const ask = { model: 'value', trigger: 'age' as const, reason: 'old', dry_run: false, by: null }
  const [first, second] = await Promise.all([requestRetraining(pool, ask), requestRetraining(pool, ask)])
  const open = first ?? second
  expect([first, second].filter((each) => each !== undefined)).toHaveLength(1)
  const id = open?.id ?? 0
  // No process of these names has ever been seen.
  expect(await claimRetraining(pool, id, 'gone-1')).toMatchObject({ tries: 1 })
  expect(await claimRetraining(pool, id, 'gone-2')).toMatchObject({ tries: 2 })
  const third = await claimRetraining(pool, id, 'gone-3')
  if (third === undefined) throw new Error('expected to claim it')
  const work = { retraining: third, process: 'gone-3', variables: {}, signal: new AbortController().signal }
  // The one that it was taken from does no harm when it comes back.
  await carryOut(ledger(), modelNow(), { ...work, process: 'gone-1' })
  expect((await listRetrainings(pool, 'value', { limit: 1 }))[0]).toMatchObject({ state: 'running' })
  await carryOut(ledger(), modelNow(), work)
  expect((await listRetrainings(pool, 'value', { limit: 1 }))[0]).toMatchObject({
    state: 'failed',
    outcome: 'the processes that worked on it ended 2 times',
  })

  const killed = await requestRetraining(pool, { ...ask, trigger: 'hand' })
  await claimRetraining(pool, killed?.id ?? 0, 'command-killed')
  await endLostCommands(pool, ['value'])
  expect((await listRetrainings(pool, 'value', { limit: 1 }))[0]).toMatchObject({
    state: 'failed',
    outcome: 'its process was killed before it was over',
  })
})
