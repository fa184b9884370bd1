import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { TemporaryProject } from '../../projects/cdnow.ts'
import { generatedProject, writeParquet } from '../../projects/generated.ts'
import type { Ground, Subject } from './ground.ts'

/*
 * The project in which runs fail: a view and its model; a view with a row for each event, which has too many of them once a
 * file is there twice; and a view that is compared with the training path after each night, with its model.
 */
export const ACTIVITY: Subject = { kind: 'features', name: 'activity' }
export const VALUE: Subject = { kind: 'scores', name: 'value' }
export const COMPARED: Subject = { kind: 'features', name: 'compared' }
export const SECOND: Subject = { kind: 'scores', name: 'second' }

export const VIEW = `view: activity
entity: customer_id
owner: data@example.com
parity: weekly
sources:
  events: { path: data/events/**/*.parquet, kind: events, event_time: happened_at }
`
export const MODEL = `model: value
description: Whether a customer is worth a call
owner: crm@example.com
on_call: [oncall@example.com]
consumers: [call centre]
view: activity
score: { column: score, min: 0, max: 1 }
`
export const SQL = `SELECT customer_id, sum(amount)::FLOAT AS spend, count(*)::FLOAT AS orders
FROM events GROUP BY customer_id
`
const COMPARED_VIEW = VIEW.replace('view: activity', 'view: compared')
  .replace('parity: weekly\n', '')
  .replace('data/events', 'data/compared')
const SECOND_MODEL = MODEL.replace('model: value', 'model: second').replace(
  'view: activity',
  'view: compared',
)
export const COMPARED_DATA = 'data/compared/date=2026-03-01/events.parquet'
export const QUERY = 'features/activity/features.sql'

export async function failingProject(): Promise<TemporaryProject> {
  const project = await generatedProject({ customers: 20, sql: SQL })
  await project.write('features/activity/view.yaml', VIEW)
  await project.write('models/value/model.yaml', MODEL)
  await project.write('features/lines/view.yaml', VIEW.replace('view: activity', 'view: lines'))
  await project.write(
    'features/lines/features.sql',
    'SELECT customer_id, amount::FLOAT AS amount FROM events\n',
  )
  await project.write('features/compared/view.yaml', COMPARED_VIEW)
  await project.write('features/compared/features.sql', SQL)
  await project.write('models/second/model.yaml', SECOND_MODEL)
  await writeCompared(project.root, 1)
  return project
}

/** One amount of every customer: files of different amounts have the same size and the same time. */
export async function writeCompared(root: string, amount: number): Promise<void> {
  const file = join(root, COMPARED_DATA)
  await writeParquet(
    file,
    `SELECT i AS customer_id, TIMESTAMP '2026-03-01 12:00:00' AS happened_at, ${amount}::DOUBLE AS amount FROM range(20) t(i)`,
  )
  const written = new Date('2026-03-01T13:00:00Z')
  utimesSync(file, written, written)
}

export const path = ({ project }: Ground, file: string) => join(project.root, file)
export const write = ({ project }: Ground, file: string, text: string) => project.write(file, text)

/** The query of `activity` is right again. */
export const restored = (ground: Ground) => write(ground, QUERY, SQL)

export async function tryScores(ground: Ground, night: string): Promise<void> {
  await ground.ask(ACTIVITY, night)
  await ground.ask(VALUE, night)
}
