import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nightshift, type Told, testMails, transcript } from '../../fixtures/story.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { CDNOW, cdnowProject, HAS_CDNOW, type TemporaryProject } from '../projects/cdnow.ts'

/*
 * Real purchases and a model of scikit-learn, from a project without a version to a champion through the gate: half a minute,
 * most of it a fortnight of nights. In full alone, since test/fixtures/story.test.ts goes the same way. With NIGHTSHIFT_STORY the transcript
 * goes into docs/story.md.
 */
const FULL = process.env.NIGHTSHIFT_FAULTS === 'full' || process.env.NIGHTSHIFT_STORY !== undefined
const ROOT = resolve(import.meta.dirname, '../..')
const EXAMPLE = join(ROOT, 'models/churn')
const NIGHTS = ['--from', '1998-04-01', '--to', '1998-04-14']

let project: TemporaryProject
let fresh: FreshDatabase
const commands: Told[] = []
const begun = performance.now()

async function run(args: string[], expected = 0): Promise<string> {
  const told = await nightshift(project.root, args, { DATABASE_URL: fresh.url })
  commands.push(told)
  expect(told.code, `${args.join(' ')}:\n${told.printed}`).toBe(expected)
  return told.printed
}

beforeAll(async () => {
  if (!HAS_CDNOW || !FULL) return
  fresh = await freshDatabase()
  project = await cdnowProject()
  const { write, root } = project
  await write(
    'nightshift.yaml',
    `project: cdnow
timezone: UTC
warehouse: warehouse
alerts: { from: nightshift@example.com, base_url: "http://localhost:8080" }
people: { ann@example.com: approver, oncall@example.com: operator, deputy@example.com: operator }
`,
  )
  await write(
    'models/lapse/model.yaml',
    `model: lapse
description: Probability that a customer buys nothing for 90 days
owner: crm@example.com
on_call: [oncall@example.com, deputy@example.com]
consumers: [newsletter]
view: customer
score: { column: lapse_probability, min: 0, max: 1, threshold: 0.5 }
labels: { sql: labels.sql, horizon: 90d }
evaluation: { require: { auc: { min: 0.75 } } }
shadow: { min_nights: 14 }
drift: { columns: [recency_days, spend_90d], min_effect: 0.1, persist: 2 of 3 }
retrain: { command: [node, train.js], when: { age: 90d }, dataset: { span: 180d, every: 30d, holdout: 30d } }
`,
  )
  await write(
    'schedules/nightly.yaml',
    `schedule: nightly
cron: "30 2 * * *"
score: [lapse]
deadline: "06:00"
retry: { attempts: 3, backoff: 30s }
`,
  )
  await write(
    'features/customer/examples/two-orders.yaml',
    `example: two orders count, one of tomorrow does not
as_of: 1998-01-31
sources:
  purchases:
    - { customer_id: 1, purchased_at: 1998-01-01 00:00:00, quantity: 2, amount: 20.0 }
    - { customer_id: 1, purchased_at: 1998-01-21 00:00:00, quantity: 1, amount: 10.0 }
    - { customer_id: 1, purchased_at: 1998-01-31 00:00:00, quantity: 5, amount: 99.0 }
rows:
  - customer_id: 1
    tenure_days: 30
    recency_days: 10
    orders: 2
    orders_30d: 2
    orders_90d: 2
    items: 3
    spend: 30
    spend_90d: 30
    mean_order: 15
    largest_order: 20
`,
  )
  const runbook = readFileSync(join(EXAMPLE, 'RUNBOOK.md'), 'utf8')
  await write(
    'models/lapse/RUNBOOK.md',
    runbook.replaceAll('customer_activity', 'customer').replaceAll('churn', 'lapse'),
  )
  for (const part of ['train.js', 'training'])
    cpSync(join(EXAMPLE, part), join(root, 'models/lapse', part), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
})
afterAll(async () => {
  await project?.remove()
  await fresh?.drop()
})

// Takes half a minute: a fortnight of nights, and drills.
test.runIf(HAS_CDNOW && FULL)(
  'from an empty project to a champion through the gate, without a waiver',
  async () => {
    const ann = ['--by', 'ann@example.com']
    const oncall = ['--by', 'oncall@example.com']
    expect(await run(['check', 'lapse'], 1)).toContain('0 of 11: not ready')
    const span = [
      '--from',
      '1997-07-01',
      '--to',
      '1998-03-01',
      '--every',
      '1mo',
      '--holdout-from',
      '1998-02-01',
    ]
    const set = /training set ([0-9a-f]{12})/.exec(await run(['dataset', 'lapse', ...span]))?.[1] ?? ''
    await run(['register', 'lapse', join(CDNOW, 'lapse_v1_gbdt.onnx'), '--dataset', set, ...ann])
    expect(await run(['evaluate', 'lapse', '--version', '1', '--dataset', set])).toContain('0.7971')
    await run(['alert', 'test'])
    for (const { code, to } of await testMails(project.root)) await run(['ack', code, '--by', to])
    await run(['runbook', 'review', 'lapse', ...oncall])
    await run(['accept', 'lapse', ...oncall])
    for (const day of ['29', '30', '31']) await run(['refresh', 'customer', '--as-of', `1998-03-${day}`])
    await run(['drill', 'lapse', 'drift', ...ann])
    await run(['drill', 'lapse', 'rollback', ...ann])
    const lived = await run(['simulate', 'lapse', ...NIGHTS, '--challenger', '1'])
    const simulation = /simulation ([0-9a-f]{8})/.exec(lived)?.[1] ?? ''
    // Purchases end in 1998: only in the simulation is there a training set of the last months.
    expect(lived).toContain('10 of 11: not ready')
    await run(['retrain', 'lapse', '--dry-run', ...ann, '--simulation', simulation])
    expect(await run(['check', 'lapse', '--simulation', simulation])).toContain('11 of 11: ready')
    const promoted = await run(['promote', 'lapse', '--version', '1', ...ann, '--simulation', simulation])
    expect(promoted).toContain('version 1 of lapse is the champion')
    writeStory()
  },
  600_000,
)

function writeStory(): void {
  if (process.env.NIGHTSHIFT_STORY === undefined) return
  const file = join(ROOT, 'docs/story.md')
  const [before] = readFileSync(file, 'utf8').split('\n## Real purchases')
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1)
  const parts = commands.map(({ args, printed }) =>
    transcript({ args, printed, folder: project.root }).replaceAll(`${CDNOW}/`, ''),
  )
  const intro = `## Real purchases

2,357 customers of a CD shop and their 6,919 purchases of 1997 and 1998, a model of scikit-learn, and nothing else: from a
project without a version to a champion through the gate. These commands took ${minutes} minutes on two cores.`
  writeFileSync(file, `${before?.trimEnd()}\n\n${[intro, ...parts].join('\n\n')}\n`)
}
