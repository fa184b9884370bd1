import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findOutcome } from '../../../src/monitoring/outcomes/record.ts'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, smallModel, valueModel, writeParquet } from '../../projects/generated.ts'
import { ACTIVITY, path, VALUE, write } from './failing-project.ts'
import type { Ground } from './ground.ts'

/*
 * The project whose nights are published and are not as they should be. Who buys after a night has an event without an
 * amount, which its features do not see: each night's outcome is written as a scene needs it.
 */
const CUSTOMERS = 600
const SQL = `SELECT customer_id, sum(amount)::FLOAT AS spend, count(*) FILTER (amount > 0)::FLOAT AS orders
FROM events GROUP BY customer_id
`
const LABELS = `SELECT customer_id, (count(*) FILTER (happened_at >= $as_of) > 0)::INTEGER AS bought
FROM events GROUP BY customer_id HAVING min(happened_at) < $as_of
`
const MODEL_YAML = 'models/value/model.yaml'
const MODEL = valueModel(`labels: { sql: labels.sql, horizon: 1d }
evaluation: { require: { auc: { min: 0.7 } } }
drift: { persist: 1 of 1 }
`)
const RETRAIN = 'retrain: { command: [node, train.mjs], dataset: { span: 4d, every: 1d, holdout: 2d } }\n'
const TRAIN = `import { copyFileSync } from 'node:fs'
copyFileSync('next.onnx', process.env.NIGHTSHIFT_OUT)
`

/** Those who spent much buy again, but for some; or the others do. */
export type Buyers = 'who spent much' | 'who spent little'
const WHERE: Record<Buyers, string> = {
  'who spent much': 'i % 7 > 3 OR i % 10 = 0',
  'who spent little': 'NOT (i % 7 > 3 OR i % 10 = 0)',
}

export async function watchedProject(): Promise<TemporaryProject> {
  const project = await generatedProject({ customers: CUSTOMERS, sql: SQL, view: 'parity: weekly\n' })
  await project.write(MODEL_YAML, MODEL)
  await project.write('models/value/labels.sql', LABELS)
  await project.write('models/value/train.mjs', TRAIN)
  // Trained on by commands, which have the real clock.
  for (let ago = 1; ago <= 8; ago++) await writeBuyers(project.root, daysAgo(ago), 'who spent much')
  return project
}

/** The model can be retrained, with another result than before. */
export async function retrainable(ground: Ground): Promise<void> {
  width++
  writeFileSync(path(ground, TRAINED), smallModel({ work: 1, width }))
  await write(ground, MODEL_YAML, MODEL + RETRAIN)
}
let width = 8
export const TRAINED = 'models/value/next.onnx'
export const notRetrainable = (ground: Ground) => write(ground, MODEL_YAML, MODEL)

/** A night that is published, and measured when these have bought. */
export async function measured(
  ground: Ground,
  night: string,
  buyers: Buyers,
  how: { version?: number } = {},
): Promise<void> {
  const { pool } = ground.life.database
  await writeBuyers(ground.project.root, night, buyers)
  await ground.ask(ACTIVITY, night)
  await ground.ask(VALUE, night, how)
  await ground.until(async () => (await findOutcome(pool, 'value', night))?.state === 'measured')
  await ground.until(async () => isProfiled(ground, night))
}

/** Whether the drift check of a night is over. */
async function isProfiled(ground: Ground, night: string): Promise<boolean> {
  const { rowCount } = await ground.life.database.pool.query(
    `select from nightshift.profiles p join nightshift.slots s on s.published_run = p.run where s.name = 'value' and s.partition = $1`,
    [night],
  )
  return rowCount === 1
}

/** A further event of each customer, before the first night: from now on all have spent more. */
export async function spendMore(ground: Ground): Promise<void> {
  await writeParquet(
    path(ground, MORE),
    `SELECT i AS customer_id, TIMESTAMP '2026-03-01 13:00:00' AS happened_at, 5.0::DOUBLE AS amount FROM range(${CUSTOMERS}) t(i)`,
  )
}
export const MORE = 'data/events/date=2026-03-01/more.parquet'

function writeBuyers(root: string, date: string, buyers: Buyers): Promise<void> {
  return writeParquet(
    join(root, `data/events/date=${date}/buyers.parquet`),
    `SELECT i AS customer_id, TIMESTAMP '${date} 12:00:00' AS happened_at, 0.0::DOUBLE AS amount FROM range(${CUSTOMERS}) t(i) WHERE ${WHERE[buyers]}`,
  )
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
}
