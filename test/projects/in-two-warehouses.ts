import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nightshift } from '../cli/nightshift.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { openStorage, type Storage } from '../workers/objects/storage.ts'
import { generatedProject, smallModel, valueModel, writeDay } from './generated.ts'

const DAY_MS = 86_400_000
const TODAY = Date.now()
/** The newest day of the events is yesterday. */
const DAYS = 12
export const BUCKET = 's3://nights/life'

/** The as-of of so many days ago. */
export const daysAgo = (days: number) => new Date(TODAY - days * DAY_MS).toISOString().slice(0, 10)

/** The second has no copies when a command begins; where it is new, it does not know its project's identity either. */
export type Machine = 'one' | 'two' | 'new'

export type World = 'folder' | 'bucket'
/** Each command costs as much again in a second warehouse: CI gives it in the bucket alone. */
export const WORLDS: World[] = process.env.NIGHTSHIFT_FAULTS === 'full' ? ['folder', 'bucket'] : ['bucket']

/** Stands for a training: the file that it copies lies beside it. */
const TRAIN = `import { copyFileSync, existsSync } from 'node:fs'
for (const name of ['NIGHTSHIFT_TRAIN', 'NIGHTSHIFT_MANIFEST'])
  if (!existsSync(process.env[name])) throw new Error('no ' + name)
copyFileSync('next.onnx', process.env.NIGHTSHIFT_OUT)
`

const MODEL = valueModel(`labels: { sql: labels.sql, horizon: 1d }
retrain: { command: [node, train.mjs], dataset: { span: 4d, every: 1d, holdout: 2d } }
`)

/** What a command printed. */
export interface Printed {
  code: number | null
  // biome-ignore lint/suspicious/noExplicitAny: what a command prints is read by the test that knows it
  json: any
  text: string
}

/** One project twice: with its warehouse in a folder, and in a bucket that two machines share. */
export interface TwoWarehouses {
  storage: Storage
  root(world: World, machine?: Machine): string
  database(world: World): FreshDatabase
  /** Everything below the roots of a world. */
  write(path: string, text: string): void
  writeEvents(date: string, customers: number): Promise<void>
  /** Gives a command in a world. */
  run(world: World, machine: Machine, ...args: string[]): Promise<Printed>
  /** From now on a world has this ledger. */
  restore(world: World, ledger: FreshDatabase): void
  close(): Promise<void>
}

export async function inTwoWarehouses(schedule: string, customers = 60): Promise<TwoWarehouses> {
  const storage = await openStorage()
  const ledgers = { folder: await freshDatabase(), bucket: await freshDatabase() }
  const former: FreshDatabase[] = []
  const project = await generatedProject({ customers, schedule })
  const { root: one } = project
  const roots = { one, two: `${one}-two`, folder: `${one}-folder` }
  for (let day = 1; day <= DAYS; day++) await writeDay(one, daysAgo(day), customers)
  rmSync(join(one, 'data/events/date=2026-03-01'), { recursive: true })
  await project.write(
    'models/value/labels.sql',
    'SELECT customer_id, max((customer_id % 3 = 0)::INTEGER) AS called FROM events GROUP BY customer_id\n',
  )
  await project.write('models/value/model.yaml', MODEL)
  await project.write('models/value/train.mjs', TRAIN)
  writeFileSync(join(one, 'models/value/next.onnx'), smallModel({ work: 1, width: 8 }))
  writeFileSync(join(one, 'reversed.onnx'), smallModel({ reversed: true }))
  for (const [world, warehouse] of [
    ['folder', 'warehouse'],
    ['two', BUCKET],
  ] as const) {
    await project.write('nightshift.yaml', `project: generated\ntimezone: UTC\nwarehouse: ${warehouse}\n`)
    cpSync(one, roots[world], { recursive: true, preserveTimestamps: true })
  }
  const root = (world: World, machine: Machine = 'one') =>
    world === 'folder' ? roots.folder : machine === 'one' ? one : roots.two
  return {
    storage,
    root,
    database: (world) => ledgers[world],
    write(path, text) {
      for (const each of Object.values(roots)) writeFileSync(join(each, path), text)
    },
    async writeEvents(date, count) {
      await writeDay(one, date, count)
      const path = `data/events/date=${date}`
      for (const to of [roots.two, roots.folder])
        cpSync(join(one, path), join(to, path), { recursive: true, preserveTimestamps: true })
    },
    async run(world, machine, ...args) {
      const at = root(world, machine)
      if (machine === 'two') rmSync(join(at, '.nightshift/objects'), { recursive: true, force: true })
      if (machine === 'new') rmSync(join(at, '.nightshift'), { recursive: true, force: true })
      const env = { ...storage.env, DATABASE_URL: ledgers[world].url }
      const given = args.map((each) => each.replace('ROOT', at))
      const { code, stdout, stderr } = await nightshift([...given, '--json'], { project: at, env })
      return { code, json: jsonOf(stdout), text: `${stdout}\n${stderr}` }
    },
    restore(world, ledger) {
      former.push(ledgers[world])
      ledgers[world] = ledger
    },
    async close() {
      for (const each of [roots.two, roots.folder]) rmSync(each, { recursive: true, force: true })
      await project.remove()
      for (const ledger of [...former, ...Object.values(ledgers)]) await ledger.drop()
      await storage.close()
    },
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Times, names of runs and what a machine needed for it, which differ whenever something is done twice. */
export async function comparable(
  worlds: TwoWarehouses,
  world: World,
  { code, text }: Printed,
): Promise<string> {
  const { rows } = await worlds
    .database(world)
    .database.pool.query<{ id: string; sha256: string | null }>('select id, sha256 from nightshift.runs')
  const named = rows.reduce(
    (rest, { id, sha256 }) => rest.replaceAll(id, 'RUN').replaceAll(sha256 ?? id, 'SHA256'),
    text,
  )
  return (
    `${code} ${named}`
      .replaceAll(BUCKET, 'warehouse')
      .replaceAll(worlds.root('folder'), 'ROOT')
      .replaceAll(worlds.root('bucket', 'two'), 'ROOT')
      .replaceAll(worlds.root('bucket', 'one'), 'ROOT')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replaceAll(/"id": "[0-9a-f]{8}"/g, '"id": "SIMULATION"')
      .replaceAll(/command-[0-9a-f]{8}/g, 'WORKER')
      .replaceAll(/"(\w*seconds|\w*ms|bytes|memory|limit)": [\d.]+/g, '"$1": N')
      // Only a bucket has uploads, and some steps go on beside others.
      .replaceAll(/"steps": \[[^\]]*\]/g, '"steps": []')
      .split('\n')
      .filter((line) => !line.startsWith('{"level":"info"'))
      .join('\n')
  )
}
