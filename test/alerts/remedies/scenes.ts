import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import type { IncidentKind } from '../../../src/failures/incident-kinds.ts'
import type { StepName } from '../../../src/failures/remedies.ts'
import { openProject } from '../../../src/project/files/load-project.ts'
import { promote, withdraw } from '../../../src/registry/champion.ts'
import { repairPublished } from '../../../src/workers/repair-published.ts'
import { smallModel, writeParquet } from '../../projects/generated.ts'
import { registered } from '../../workers/registered.ts'
import type { Ground, Subject } from './ground.ts'

/** A cause, made to happen for real. */
export interface Scene {
  kind: IncidentKind
  cause: string
  subject: Subject
  /** Makes the night fail, so that an incident of the subject is open. */
  make(ground: Ground, night: string): Promise<void>
  /** What the words before a command ask for, such as data that arrives. */
  mend?(ground: Ground, night: string, step: StepName | undefined): Promise<void> | void
  /** What the words before the first of the commands that go together ask for. */
  cure?(ground: Ground): Promise<void> | void
  /** Commands that are followed one after the other; every other changing command has a night of its own. */
  together?: StepName[]
  /** What must hold after a command, where it is not what its name says. */
  after?: Partial<Record<StepName, string>>
  /** Once the scene is over. */
  leave?(ground: Ground): Promise<void> | void
  /** It has no run, so that its page has no button to retry one. */
  hasNoRun?: boolean
  /** It needs rights that not everybody has. */
  needsRoot?: boolean
}

export const ACTIVITY: Subject = { kind: 'features', name: 'activity' }
export const VALUE: Subject = { kind: 'scores', name: 'value' }

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
/** A view that is compared with the training path after each night, and its model. */
export const COMPARED_VIEW = VIEW.replace('view: activity', 'view: compared')
  .replace('parity: weekly\n', '')
  .replace('data/events', 'data/compared')
export const SECOND_MODEL = MODEL.replace('model: value', 'model: second').replace(
  'view: activity',
  'view: compared',
)
const COMPARED: Subject = { kind: 'features', name: 'compared' }
const SECOND: Subject = { kind: 'scores', name: 'second' }
const COMPARED_QUERY = 'features/compared/features.sql'
const COMPARED_DATA = 'data/compared/date=2026-03-01/events.parquet'
const YAML = 'features/activity/view.yaml'
const QUERY = 'features/activity/features.sql'
const MODEL_YAML = 'models/value/model.yaml'
/** Counts for minutes, if nobody ends it. */
const ENDLESS = `SELECT e.customer_id, count(*)::FLOAT AS spend, count(*)::FLOAT AS orders
FROM events e, events f, events g, events h, events i, events j, events k, events l GROUP BY e.customer_id
`

const path = ({ project }: Ground, file: string) => join(project.root, file)
const write = ({ project }: Ground, file: string, text: string) => project.write(file, text)
const versionFile = (ground: Ground, version: number) =>
  path(ground, `warehouse/models/value/${version}/model.onnx`)

async function live(ground: Ground, version: number): Promise<void> {
  const expected = await ground.champion('value')
  if (expected === version) return
  const by = 'ann@example.com'
  await promote(ground.life.database, {
    model: 'value',
    version,
    expected,
    by,
    reason: null,
    event: 'promoted',
  })
}

/** Spoils a version's file; what it was is kept beside it. */
function spoil(ground: Ground, version: number): void {
  const file = versionFile(ground, version)
  if (existsSync(`${file}.kept`)) return
  copyFileSync(file, `${file}.kept`)
  rmSync(file)
  writeFileSync(file, 'not a model')
}

function unspoil(ground: Ground, version: number): void {
  const file = versionFile(ground, version)
  if (existsSync(`${file}.kept`)) renameSync(`${file}.kept`, file)
}

async function register(ground: Ground, bytes: Uint8Array): Promise<number> {
  const project = openProject(ground.project.root)
  return registered(ground.life.database, project, { model: 'value', view: 'activity', bytes })
}

/** Ends the compute children while a night that takes forever is computed. */
async function killed(ground: Ground, night: string, signal: 'SIGKILL' | 'SIGUSR2'): Promise<void> {
  await write(ground, QUERY, ENDLESS)
  let over = false
  const asked = ground.ask(ACTIVITY, night).finally(() => {
    over = true
  })
  while (!over) {
    await sleep(100)
    if ((await ground.state(ACTIVITY, night)) !== 'running') continue
    await sleep(300)
    const { stdout } = spawnSync('pgrep', ['-P', String(process.pid), '-f', 'child'], { encoding: 'utf8' })
    for (const pid of stdout.split('\n').filter((line) => line !== '')) {
      try {
        process.kill(Number(pid), signal)
      } catch {
        // It has ended by itself.
      }
    }
  }
  await asked
}

/** A night that is published, scored and at parity; then `change`, which the next comparison finds. */
async function compared(ground: Ground, night: string, change: () => Promise<unknown>): Promise<void> {
  const { pool } = ground.life.database
  if ((await ground.champion('second')) === null) {
    const [model, by] = ['second', 'ann@example.com']
    const project = openProject(ground.project.root)
    await registered(ground.life.database, project, { model, view: 'compared', bytes: smallModel() })
    await promote(ground.life.database, {
      model,
      version: 1,
      expected: null,
      by,
      reason: null,
      event: 'promoted',
    })
  }
  await ground.ask(COMPARED, night)
  await ground.ask(SECOND, night)
  const certified = `select from nightshift.certificates where view = 'compared' and partition = $1`
  await ground.until(async () => (await pool.query(certified, [night])).rows.length > 0)
  await change()
  // As if the comparison had been lost: it is made again.
  await pool.query(`delete from nightshift.certificates where view = 'compared' and partition = $1`, [night])
  await ground.until(async () => (await ground.open(COMPARED)).length > 0)
}

/** One amount of every customer: files of different amounts have the same size. */
export function writeCompared(root: string, amount: number): Promise<void> {
  return writeParquet(
    join(root, COMPARED_DATA),
    `SELECT i AS customer_id, TIMESTAMP '2026-03-01 12:00:00' AS happened_at, ${amount}::DOUBLE AS amount FROM range(20) t(i)`,
  )
}

/** Other amounts in a file that looks unchanged. */
async function pastChanged(ground: Ground): Promise<void> {
  const file = path(ground, COMPARED_DATA)
  const { atime, mtime, size } = statSync(file)
  await writeCompared(ground.project.root, 2)
  if (statSync(file).size !== size) throw new Error('the file has another size')
  utimesSync(file, atime, mtime)
}

const restored = (ground: Ground) => write(ground, QUERY, SQL)
const tryScores = async (ground: Ground, night: string) => {
  await ground.ask(ACTIVITY, night)
  await ground.ask(VALUE, night)
}

/** In the order in which they are played: versions come one after the other. */
export const SCENES: Scene[] = [
  {
    kind: 'model',
    cause: 'no version is registered',
    subject: VALUE,
    hasNoRun: true,
    make: (ground, night) => ground.ask(VALUE, night),
    async mend(ground, _, step) {
      if (step !== 'again') return
      await register(ground, smallModel())
      await live(ground, 1)
    },
  },
  {
    kind: 'model',
    cause: 'no version is live',
    subject: VALUE,
    hasNoRun: true,
    async make(ground, night) {
      const version = await ground.champion('value')
      const by = 'ann@example.com'
      if (version !== null)
        await withdraw(ground.life.database, { model: 'value', expected: version, by, reason: null })
      await ground.ask(VALUE, night)
    },
    async mend(ground, _, step) {
      if (step === 'again') await live(ground, 1)
    },
    // The gate lists what is missing.
    after: { promote: 'refused, no version is live' },
  },
  {
    kind: 'model',
    cause: 'the live version cannot score, and no version was live before',
    subject: VALUE,
    async make(ground, night) {
      spoil(ground, 1)
      await tryScores(ground, night)
    },
    mend: (ground) => unspoil(ground, 1),
  },
  {
    kind: 'model',
    cause: 'scores are outside their range, and no version was live before',
    subject: VALUE,
    async make(ground, night) {
      await write(ground, MODEL_YAML, MODEL.replace('max: 1', 'max: 0.1'))
      await tryScores(ground, night)
    },
    mend: (ground) => write(ground, MODEL_YAML, MODEL),
    async leave(ground) {
      await register(ground, smallModel({ linear: true }))
    },
  },
  {
    kind: 'model',
    cause: 'a version that was given by name cannot score',
    subject: VALUE,
    async make(ground, night) {
      spoil(ground, 2)
      await ground.ask(ACTIVITY, night)
      await ground.ask(VALUE, night, { version: 2 })
    },
    leave: (ground) => unspoil(ground, 2),
  },
  {
    kind: 'model',
    cause: 'scores are outside their range, after a promotion',
    subject: VALUE,
    async make(ground, night) {
      await live(ground, 2)
      await tryScores(ground, night)
    },
    together: ['rollback', 'again'],
    after: { release: 'published with version 2, incident closed' },
  },
  {
    kind: 'model',
    cause: 'the live version cannot score, after a promotion',
    subject: VALUE,
    async make(ground, night) {
      await live(ground, 2)
      spoil(ground, 2)
      await tryScores(ground, night)
    },
    together: ['rollback', 'again'],
    async leave(ground) {
      unspoil(ground, 2)
      await live(ground, 1)
    },
  },
  {
    kind: 'late-data',
    cause: 'the data of a source has not arrived',
    subject: ACTIVITY,
    async make(ground, night) {
      renameSync(path(ground, 'data/events'), path(ground, 'data/elsewhere'))
      await ground.ask(ACTIVITY, night)
    },
    mend: (ground) => {
      if (existsSync(path(ground, 'data/elsewhere')))
        renameSync(path(ground, 'data/elsewhere'), path(ground, 'data/events'))
    },
  },
  {
    kind: 'late-data',
    cause: 'the features that are to be scored are not published',
    subject: VALUE,
    async make(ground, night) {
      // Scores that failed are retried after their features were lost, with their second copy.
      spoil(ground, 1)
      await tryScores(ground, night)
      unspoil(ground, 1)
      const slot = await ground.life.slot('features', 'activity', night)
      rmSync(path(ground, `warehouse/features/activity/as_of=${night}`), { recursive: true })
      rmSync(path(ground, `warehouse/.published/${slot?.run}.parquet`), { force: true })
      const project = openProject(ground.project.root)
      const { database } = ground.life
      const place = {
        database,
        warehouse: project.warehouse,
        project: () => project,
        log: pino({ level: 'silent' }),
      }
      await repairPublished(place, slot?.id ?? 0)
      await ground.life.database.pool.query(
        `update nightshift.incidents set closed_at = now() where closed_at is null`,
      )
      await ground.life.retry('scores', 'value', night)
      await ground.pass(1)
      await ground.pass(1)
    },
  },
  {
    kind: 'contract',
    cause: 'an expectation failed that a person may override',
    subject: ACTIVITY,
    async make(ground, night) {
      await write(ground, YAML, `${VIEW}columns: { spend: { max: 1 } }\n`)
      await ground.ask(ACTIVITY, night)
    },
    mend: (ground) => write(ground, YAML, VIEW),
  },
  {
    kind: 'contract',
    cause: 'an expectation failed that nobody may override',
    subject: { kind: 'features', name: 'lines' },
    async make(ground, night) {
      const file = path(ground, 'data/events/date=2026-03-01/events.parquet')
      copyFileSync(file, path(ground, 'data/events/date=2026-03-01/twice.parquet'))
      await ground.ask({ kind: 'features', name: 'lines' }, night)
    },
    mend: (ground) => rmSync(path(ground, 'data/events/date=2026-03-01/twice.parquet'), { force: true }),
  },
  {
    kind: 'contract',
    cause: 'the view is not what the version was registered on',
    subject: VALUE,
    async make(ground, night) {
      await write(ground, QUERY, SQL.replace('sum(amount)', 'max(amount)'))
      await tryScores(ground, night)
    },
    mend: restored,
  },
  {
    kind: 'contract',
    cause: 'the published features have to be computed again',
    subject: VALUE,
    async make(ground, night) {
      await ground.ask(ACTIVITY, night)
      // As a build left them that did not look at this yet.
      await ground.life.database.pool.query(
        `update nightshift.runs set checks = checks || '[{"id": "entity.unique", "kind": "entity.unique", "passed": false,
           "observed": 2, "bound": 1, "message": "customer_id 1 has two rows", "samples": []}]'::jsonb
          where kind = 'features' and name = 'activity' and partition = $1`,
        [night],
      )
      await ground.ask(VALUE, night)
    },
  },
  {
    kind: 'contract',
    cause: 'files, SQL or sources are wrong',
    subject: ACTIVITY,
    async make(ground, night) {
      await write(ground, QUERY, SQL.replace('sum(amount)', 'sum(amuont)'))
      await ground.ask(ACTIVITY, night)
    },
    mend: restored,
  },
  {
    kind: 'resource',
    cause: 'the output is computed, but cannot be moved into place',
    subject: ACTIVITY,
    async make(ground, night) {
      writeFileSync(path(ground, `warehouse/features/activity/as_of=${night}`), 'in the way')
      await ground.ask(ACTIVITY, night).catch(() => {})
      await ground.until(async () => (await ground.open(ACTIVITY)).length > 0)
      await ground.pass(2)
    },
    mend: (ground, night) =>
      rmSync(path(ground, `warehouse/features/activity/as_of=${night}`), { force: true }),
  },
  {
    kind: 'resource',
    cause: 'the time ran out',
    subject: ACTIVITY,
    make: (ground, night) => ground.ask(ACTIVITY, night, { timeoutMs: 1 }),
  },
  {
    kind: 'resource',
    cause: 'the memory ran out',
    subject: ACTIVITY,
    make: (ground, night) => killed(ground, night, 'SIGKILL'),
    mend: restored,
  },
  {
    kind: 'resource',
    cause: 'there is no space, or a folder may not be written',
    subject: ACTIVITY,
    needsRoot: true,
    async make(ground, night) {
      const folder = path(ground, 'warehouse/.attempts')
      mkdirSync(folder, { recursive: true })
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
      writeFileSync(join(folder, 'filler'), Buffer.alloc(64 * 1024))
      await ground.ask(ACTIVITY, night)
    },
    mend: (ground) => void spawnSync('umount', ['-l', path(ground, 'warehouse/.attempts')]),
  },
  {
    kind: 'transient',
    cause: 'the published features were removed or replaced',
    subject: VALUE,
    async make(ground, night) {
      await ground.ask(ACTIVITY, night)
      writeFileSync(path(ground, `warehouse/features/activity/as_of=${night}/features.parquet`), 'foreign')
      await ground.ask(VALUE, night)
    },
  },
  {
    kind: 'transient',
    cause: 'a connection, a lock or a process was lost',
    subject: ACTIVITY,
    make: (ground, night) => killed(ground, night, 'SIGUSR2'),
    mend: restored,
  },
  {
    kind: 'parity',
    cause: 'the view was edited after it had served',
    subject: COMPARED,
    make: (ground, night) =>
      compared(ground, night, () =>
        write(ground, COMPARED_QUERY, SQL.replace('sum(amount)', 'max(amount) + 1')),
      ),
    cure: (ground) => write(ground, COMPARED_QUERY, SQL),
    together: ['forced', 'readers'],
  },
  {
    kind: 'parity',
    cause: 'the past of a source was changed',
    subject: COMPARED,
    make: (ground, night) => compared(ground, night, () => pastChanged(ground)),
    together: ['forced', 'readers'],
  },
  {
    kind: 'bug',
    cause: 'an error that no class covers',
    subject: VALUE,
    async make(ground, night) {
      // A row of the ledger that no build writes.
      await ground.life.database.pool.query(
        `update nightshift.versions set mapping = mapping - 'inputs' || jsonb_build_object('kept', mapping->'inputs')
          where mapping ? 'inputs'`,
      )
      await tryScores(ground, night)
    },
    async mend(ground) {
      await ground.life.database.pool.query(
        `update nightshift.versions set mapping = mapping - 'kept' || jsonb_build_object('inputs', mapping->'kept')
          where mapping ? 'kept'`,
      )
    },
  },
]
