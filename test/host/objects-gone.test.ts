import { afterAll, beforeAll, expect, test } from 'vitest'
import { daysAgo, inTwoWarehouses, type Machine, type TwoWarehouses } from '../projects/in-two-warehouses.ts'
import { refuse } from '../workers/objects/storage.ts'

/*
 * What somebody has removed from a bucket, and what the bucket refuses: each command says which object it is about, what that
 * means and what to do, on a machine that has no copies of its own.
 */
const NIGHT = daysAgo(8)
const SET = ['--from', daysAgo(9), '--to', daysAgo(8), '--every', '1d', '--holdout-from', daysAgo(8)]
const BY = ['--by', 'ann@example.com']
let worlds: TwoWarehouses
let set: string
let run: string

const on = (machine: Machine, ...args: string[]) => worlds.run('bucket', machine, ...args)

beforeAll(async () => {
  worlds = await inTwoWarehouses(
    'schedule: nightly\ncron: "30 2 * * *"\nscore: [value]\nstart: "2099-01-01"\n',
  )
  set = (await on('one', 'dataset', 'value', ...SET)).json.id
  await on('one', 'register', 'value', 'ROOT/model.onnx', '--dataset', set)
  await on('one', 'promote', 'value', '--version', '1', '--override', 'the first', ...BY)
  const scored = await on('one', 'run', 'value', '--as-of', NIGHT)
  expect(scored.json, scored.text).toMatchObject({ state: 'published' })
  run = scored.json.run
})
afterAll(() => worlds?.close())

/** Removes objects, does the work, and puts back those that it has not put there. */
async function without(prefixes: string[], work: () => Promise<void>): Promise<void> {
  const { storage } = worlds
  const gone: [string, Buffer][] = []
  for (const prefix of prefixes) {
    for (const key of await storage.keys(`life/${prefix}`)) {
      gone.push([key, (await storage.get(key)) ?? Buffer.of()])
      await storage.remove(key)
    }
  }
  expect(gone).not.toEqual([])
  try {
    await work()
  } finally {
    for (const [key, body] of gone) if ((await storage.get(key)) === undefined) await storage.put(key, body)
  }
}

const lost = (path: string, then: string) =>
  `s3://nights/life/${path} is missing: somebody has removed it, or the warehouse is another one than the ledger describes. nightshift ${then}`

test('features that are gone are named by whoever reads them', async () => {
  const path = `features/activity/as_of=${NIGHT}/features.parquet`
  const told = lost(path, `refresh activity --as-of ${NIGHT} publishes it again, or computes it`)
  await without([path], async () => {
    for (const command of [
      ['explain', 'value', '1', '--as-of', NIGHT],
      ['replay', run],
      ['parity', 'value', '--as-of', NIGHT],
      ['drift', 'value', '--as-of', NIGHT],
    ]) {
      const { code, text } = await on('two', ...command)
      expect([code, text.trim()]).toEqual([1, `nightshift: ${told}`])
    }
    const again = await on('two', 'refresh', 'activity', '--as-of', NIGHT)
    expect(again.text).toContain('published again from .published/')
    expect((await on('two', 'replay', run)).json).toMatchObject({ same: true })
  })
})

test('scores that are gone are named by whoever reads them, also without a second copy', async () => {
  const path = `scores/value/as_of=${NIGHT}/scores.parquet`
  const told = lost(path, `run value --as-of ${NIGHT} publishes it again, or computes it`)
  await without([path, `.published/${run}`], async () => {
    expect((await on('two', 'explain', 'value', '1', '--as-of', NIGHT)).text).toContain(told)
    expect((await on('two', 'replay', run)).text).toContain(told)
    const again = await on('two', 'run', 'value', '--as-of', NIGHT)
    expect(again.json, again.text).toMatchObject({ state: 'published', rows: 60 })
    expect(again.text).toContain(`s3://nights/life/${path} is missing: computed again`)
    run = again.json.run
  })
})

test('a version whose file is gone scores nothing, and the same file puts it back', async () => {
  const told = lost(
    'models/value/1/model.onnx',
    'register value FILE.onnx with the same file and the same --dataset puts it back; nightshift versions value --json has the SHA-256 and training set of version 1',
  )
  await without(['models/value/1/'], async () => {
    for (const command of [
      ['replay', run],
      ['evaluate', 'value', '--version', '1', '--dataset', set],
    ])
      expect((await on('two', ...command)).text).toContain(told)
    const explained = await on('two', 'explain', 'value', '1', '--as-of', NIGHT)
    expect(explained.json.notes).toEqual([`its reasons cannot be computed: ${told}`])
    const scored = await on('two', 'run', 'value', '--as-of', NIGHT, '--force')
    expect(scored.json).toMatchObject({ state: 'failed', failure: { class: 'model', message: told } })
    const back = await on('two', 'register', 'value', 'ROOT/model.onnx', '--dataset', set)
    expect(back.json).toMatchObject({ version: 1, known: true, restored: true })
    expect((await on('two', 'replay', run)).json, 'replayed').toMatchObject({ same: true })
    // The same of one that was replaced.
    await worlds.storage.put('life/models/value/1/model.onnx', 'something else')
    expect((await on('two', 'replay', run)).text).toContain(
      's3://nights/life/models/value/1/model.onnx is not the file that was registered: nightshift register',
    )
    await on('two', 'register', 'value', 'ROOT/model.onnx', '--dataset', set)
    expect((await on('two', 'replay', run)).json).toMatchObject({ same: true })
  })
})

const OF_A_SET = ['train.parquet', 'manifest.json', 'holdout.parquet']

test.each(OF_A_SET.slice(0, process.env.NIGHTSHIFT_FAULTS === 'full' ? 3 : 1))(
  'a training set without its %s is named, and the same command makes it whole',
  async (name) => {
    const path = `datasets/value/${set}/${name}`
    await without([path], async () => {
      const told = lost(path, 'dataset value with the same nights builds it again')
      const compared = await on('two', 'parity', 'value', '--as-of', NIGHT, '--dataset', set)
      expect(compared.text).toContain(told)
      // The machine that made it has copies of it.
      expect((await on('one', 'parity', 'value', '--as-of', NIGHT, '--dataset', set)).text).toContain(told)
      const again = await on('two', 'dataset', 'value', ...SET)
      expect(again.json).toMatchObject({ id: set, known: false })
      expect(again.json.warnings).toContain(
        `training set ${set} was incomplete: ${name} was missing and has been written again`,
      )
      expect((await on('two', 'dataset', 'value', ...SET)).json.known).toBe(true)
    })
  },
)

test('what the bucket takes no more is told, and goes on where it stood once it does', async () => {
  const { storage } = worlds
  storage.fault = ({ method }, response) => method === 'PUT' && refuse(response, 403, 'AccessDenied')
  const held = await on('two', 'run', 'value', '--as-of', daysAgo(7))
  const trial = await on('two', 'run', 'value', '--as-of', NIGHT, '--version', '1')
  const other = ['--from', daysAgo(9), '--to', daysAgo(7), '--every', '1d', '--holdout-from', daysAgo(7)]
  const dataset = await on('two', 'dataset', 'value', ...other)
  const registered = await on('two', 'register', 'value', 'ROOT/reversed.onnx')
  storage.fault = undefined
  const denied = (path: string) =>
    new RegExp(`s3://nights/life/${path} could not be written \\(AccessDenied\\): .*grant s3:PutObject`)
  expect(held.json).toMatchObject({ state: 'held', failure: { class: 'contract' } })
  expect(held.json.failure.message).toMatch(denied('\\.attempts/\\w+-a1/features.parquet'))
  expect([trial.code, trial.text]).toEqual([1, expect.stringMatching(denied('\\.attempts/.*scores.parquet'))])
  expect([dataset.code, dataset.text]).toEqual([1, expect.stringMatching(denied('datasets/value/.*parquet'))])
  expect([registered.code, registered.text]).toEqual([
    1,
    expect.stringMatching(denied('models/value/2/model.onnx')),
  ])
  expect((await on('two', 'versions', 'value')).json).toHaveLength(1)
  const retried = await on('two', 'retry', held.json.run, ...BY)
  expect(retried.json, retried.text).toMatchObject({ state: 'published' })
  expect((await on('two', 'dataset', 'value', ...other)).json.known).toBe(false)
})

test('without credentials a new checkout still answers from the ledger, and says why it cannot read the bucket', async () => {
  const { storage } = worlds
  const why = 'the access key is not known there: correct AWS_ACCESS_KEY_ID, or the profile'
  storage.fault = (_, response) => refuse(response, 403, 'InvalidAccessKeyId')
  for (const command of [['status'], ['runs'], ['show', run], ['versions', 'value'], ['validate']]) {
    const { code, text } = await on('new', ...command)
    expect(code, text).toBe(0)
  }
  expect((await on('new', 'status')).text).toContain(
    `s3://nights/life/.project.json could not be read (InvalidAccessKeyId): ${why}. The ledger is believed to be this project's by its name`,
  )
  const explained = await on('two', 'explain', 'value', '1', '--as-of', NIGHT)
  const doctor = await on('two', 'doctor')
  storage.fault = undefined
  expect([explained.code, explained.text.trim()]).toEqual([
    1,
    expect.stringContaining(
      `s3://nights/life/scores/value/as_of=${NIGHT}/scores.parquet could not be read (InvalidAccessKeyId): ${why}`,
    ),
  ])
  const findings: { part: string; ok: boolean; detail: string }[] = doctor.json
  expect(findings.filter(({ ok }) => !ok)).toEqual([
    { part: 'warehouse', ok: false, detail: expect.stringContaining(why) },
  ])
})

test('a model is taken out of service although the last run of its newest night has failed', async () => {
  await without(['models/value/1/'], async () => {
    const failed = await on('two', 'run', 'value', '--as-of', daysAgo(7), '--force')
    expect(failed.json.state).toBe('failed')
    const taken = await on('two', 'rollback', 'value', '--withdraw', '--reason', 'wrong', ...BY)
    expect(taken.code, taken.text).toBe(0)
    const { storage } = worlds
    expect(await storage.get(`life/scores/value/as_of=${daysAgo(7)}/scores.parquet`)).toBeUndefined()
  })
})
