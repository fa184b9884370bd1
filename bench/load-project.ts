import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Database } from '../src/ledger/connection/database.ts'

const SAMPLE = fileURLToPath(new URL('./project/', import.meta.url))

export const loadModel = (index: number): string => `m${String(index + 1).padStart(4, '0')}`
export const viewOf = (model: string): string => `view_${model}`

/** Adds so many models to a project of the benchmark, each on a view of its own with the same SQL over the same data. */
export function writeLoad(root: string, models: number): void {
  const sql = readFileSync(join(SAMPLE, 'features/activity/features.sql'), 'utf8')
  const yaml = readFileSync(join(SAMPLE, 'features/activity/view.yaml'), 'utf8')
  const model = readFileSync(join(SAMPLE, 'models/scored/model.yaml'), 'utf8')
  // Few customers, and nights long after the last event: neither is what this is about.
  const view = yaml.replace(/^expect:.*/ms, '')
  for (let index = 0; index < models; index++) {
    const name = loadModel(index)
    write(root, `features/${viewOf(name)}/view.yaml`, view.replace('view: activity', `view: ${viewOf(name)}`))
    write(root, `features/${viewOf(name)}/features.sql`, sql)
    write(
      root,
      `models/${name}/model.yaml`,
      model.replace('model: scored', `model: ${name}`).replace('view: activity', `view: ${viewOf(name)}`),
    )
  }
}

/** A schedule for each, which is due once an hour at its minute. */
export function writeHourly(root: string, due: { model: string; minute: number }[]): void {
  for (const { model, minute } of due)
    write(
      root,
      `schedules/${model}.yaml`,
      `schedule: ${model}\ncron: "${minute} * * * *"\ngrain: hour\nscore: [${model}]\n`,
    )
}

/** Version 1 of each model is the file of the model `scored`, and is live. */
export async function registerLoad({ pool }: Database, models: number): Promise<void> {
  const names = Array.from({ length: models }, (_, index) => loadModel(index))
  await pool.query(
    `insert into nightshift.versions
     select (jsonb_populate_record(v, jsonb_build_object('model', m.model, 'view', m.view))).*
       from nightshift.versions v cross join unnest($1::text[], $2::text[]) m (model, view)
      where v.model = 'scored' and v.version = 1`,
    [names, names.map(viewOf)],
  )
  await pool.query(
    'insert into nightshift.champions (model, version, since) select m, 1, now() from unnest($1::text[]) m',
    [names],
  )
}

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
