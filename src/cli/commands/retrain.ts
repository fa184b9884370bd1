import { randomUUID } from 'node:crypto'
import { carryOut } from '../../actions/retraining/end-retraining.ts'
import { clockTime } from '../../format/clock-time.ts'
import { postIfAlone } from '../../host/deliver-if-alone.ts'
import { type Session, withSession } from '../../host/session.ts'
import { beat } from '../../ledger/nights/alive.ts'
import {
  claimRetraining,
  endLostCommands,
  listRetrainings,
  openRetraining,
  type Retraining,
  requestRetraining,
} from '../../monitoring/retraining/record.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed } from '../../project/named.ts'
import { shownWarehouse } from '../../project/object-path.ts'
import { personNamed } from '../../project/people.ts'
import type { Model, Project } from '../../project/project.ts'
import { tidily } from '../../workers/interruption.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { openProgress } from '../terminal/progress-bar.ts'

interface Options extends GlobalOptions {
  dryRun?: boolean
  list?: boolean
  by?: string
}

/** `retrain MODEL [--dry-run] [--by WHO]`, `retrain MODEL --list`: exit 1 where it failed. */
export default function retrainCommand([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name)
    if (options.list === true) {
      const all = await listRetrainings(database.pool, model.name)
      if (options.json) printJson(all)
      else list(project, model, all)
      return 0
    }
    const by = personNamed(project, options.by)
    return await retrain(session, model, { by, dryRun: options.dryRun === true, json: options.json === true })
  })
}

async function retrain(
  session: Session,
  model: Model,
  { by, dryRun, json }: { by: string | null; dryRun: boolean; json: boolean },
): Promise<number> {
  const { project, database } = session
  if (model.retrain === undefined) {
    throw new ConfigurationError(
      `retrain: expected \`retrain: { command: [node, train.js] }\` in models/${model.name}/model.yaml, got: none`,
    )
  }
  const id = `command-${randomUUID().slice(0, 8)}`
  const stopBeating = await beat(database, { id, role: 'command', places: 0 })
  const bar = openProgress(json)
  try {
    await endLostCommands(database.pool, [model.name])
    const asked = await requestRetraining(database.pool, {
      model: model.name,
      trigger: 'hand',
      reason: dryRun ? 'a dry run' : `asked for${by === null ? '' : ` by ${by}`}`,
      dry_run: dryRun,
      by,
    })
    const claimed = asked && (await claimRetraining(database.pool, asked.id, id))
    if (claimed === undefined) throw await underWay(session, model)
    const ended = await tidily((signal) =>
      carryOut({ project, database }, model, {
        retraining: claimed,
        process: id,
        variables: process.env,
        signal,
        onStep: (_step, text) => bar.show('retrain', `retrain ${model.name}`, text, null),
      }),
    )
    bar.close()
    await postIfAlone(session)
    const [record] = await listRetrainings(database.pool, model.name, { limit: 1 })
    const warnings = ended.state === 'done' ? ended.retrained.warnings : []
    if (json) printJson({ ...record, warnings })
    else print(project, model, record, warnings)
    return ended.state === 'done' ? 0 : 1
  } finally {
    bar.close()
    await stopBeating()
  }
}

async function underWay({ project, database }: Session, { name }: Model): Promise<ConfigurationError> {
  const open = await openRetraining(database.pool, name)
  const since = clockTime(open?.started_at ?? open?.requested_at, project.timezone)
  return new ConfigurationError(
    `retrain ${name}: one retraining of a model runs at a time, and number ${open?.id ?? '?'} is ${open?.state === 'running' ? 'under way' : 'waiting for a worker'} since ${since} (${open?.reason ?? 'it has just ended: try again'}); nightshift retrain ${name} --list follows it`,
  )
}

function print(project: Project, model: Model, record: Retraining | undefined, warnings: string[]): void {
  if (record === undefined) return
  const { state, outcome, version, dataset, log, dry_run } = record
  printLine(`${dry_run ? 'dry run' : 'retraining'} ${record.id} of ${model.name}: ${state}`)
  for (const line of (outcome ?? '').split('\n')) printLine(`  ${line}`)
  if (dataset !== null) printLine(`  training set  ${dataset}`)
  if (log !== null) printLine(`  output        ${shownWarehouse(project.warehouse)}/${log}`)
  for (const warning of warnings) printLine(`  warning       ${warning}`)
  if (state === 'done' && version !== null) {
    printLine(
      `next: nightshift shadow ${model.name}, and nightshift check ${model.name} --version ${version}`,
    )
  } else if (state === 'done') printLine(`next: nightshift retrain ${model.name}`)
}

function list({ timezone }: Project, { name }: Model, all: Retraining[]): void {
  if (all.length === 0) {
    printLine(`${name} was never retrained: nightshift retrain ${name} --dry-run tries its command`)
    return
  }
  printTable(
    ['id', 'asked for', 'why', 'state', 'step', 'version', ''],
    all.map((each) => [
      each.id,
      clockTime(each.requested_at, timezone),
      each.dry_run ? 'a dry run' : each.reason,
      each.state,
      each.state === 'done' ? '' : each.step,
      each.version,
      each.outcome?.split('\n')[0],
    ]),
  )
}
