import { createInterface } from 'node:readline/promises'
import type { GlobalOptions } from '../cli.ts'
import { loadBackfillSlots, loadPastRuns } from '../jobs/backfill/load.ts'
import {
  type BackfillMode,
  type BackfillPlan,
  planBackfill,
  type VersionChoice,
} from '../jobs/backfill/plan.ts'
import { backfillProgress, startBackfill } from '../jobs/backfill/start.ts'
import { settingsFor } from '../jobs/request.ts'
import { type AsOf, asOfRange, parseAsOf } from '../project/asof.ts'
import { ConfigurationError } from '../project/problem.ts'
import { historyOf } from '../registry/history.ts'
import { champion, listVersions } from '../registry/versions.ts'
import { modelNamed, personNamed } from './find.ts'
import { follow } from './follow.ts'
import { printJson, printLine, printTable, span } from './print.ts'
import { openProgress } from './progress.ts'
import { type Session, withSession } from './session.ts'

interface Options extends GlobalOptions {
  from: string
  to: string
  failed?: boolean
  all?: boolean
  version?: number
  asWas?: boolean
  maxActive?: number
  dryRun?: boolean
  yes?: boolean
  by?: string
}

const MAX_ACTIVE = 4

/** `backfill MODEL --from D --to D`: shows its plan, asks, and follows it to the end. */
export default function backfill([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name).name
    const by = personNamed(project, options.by)
    const { timezone } = project
    const asOfs = asOfRange(parseAsOf(options.from, timezone), parseAsOf(options.to, timezone), timezone)
    const maxActive = Math.max(1, options.maxActive ?? MAX_ACTIVE)
    const plan = await planFor(session, model, asOfs, maxActive, options)
    const runs = plan.slots.filter((step) => step.action === 'run').length
    if (options.dryRun) {
      if (options.json) printJson(plan)
      else printPlan(plan)
      return 0
    }
    if (!options.json) printPlan(plan)
    if (runs === 0) {
      if (options.json) printJson({ ...plan, backfill: null, published: 0, broken: [] })
      return 0
    }
    if (!(await agreed(options, runs))) return 2
    const id = await startBackfill(database, plan, asOfs, {
      maxActive,
      forced: options.all === true,
      settings: settingsFor(project, 'scores', model),
      by,
    })
    const bar = openProgress(options.json === true)
    const title = `backfill ${id} of ${model}`
    try {
      await follow(session, {
        quiet: true,
        places: 2,
        look: async () => {
          const { state, total, published, broken } = await backfillProgress(database, id)
          const done = state === 'done' || state === 'cancelled'
          bar.show(title, title, `${published} of ${total} nights published`, {
            rows: published + broken.length,
            total,
          })
          return { done, runs: [] }
        },
      })
    } finally {
      bar.close()
    }
    const { state, total, published, broken } = await backfillProgress(database, id)
    if (options.json) printJson({ ...plan, backfill: id, state, published, broken })
    else {
      printLine(`${title}: ${published} of ${total} nights published`)
      if (broken.length > 0)
        printLine(`not published: ${broken.join(', ')}; nightshift runs ${model} --state failed`)
    }
    return published === total ? 0 : 1
  })
}

async function planFor(
  { database: { pool } }: Session,
  model: string,
  asOfs: AsOf[],
  maxActive: number,
  options: Options,
): Promise<BackfillPlan> {
  const versions = await listVersions(pool, model)
  const views = Object.fromEntries(versions.map((version) => [version.version, [version.view]]))
  const names = [...new Set(versions.map((version) => version.view))]
  const viewSlots = Object.fromEntries(
    await Promise.all(
      names.map(async (view) => [view, await loadBackfillSlots(pool, 'features', view, asOfs)] as const),
    ),
  )
  return planBackfill({
    now: new Date().toISOString(),
    kind: 'scores',
    name: model,
    asOfs,
    slots: await loadBackfillSlots(pool, 'scores', model, asOfs),
    mode: modeOf(options),
    versions: await choiceOf({ pool, model, known: versions.map((version) => version.version) }, options),
    views,
    viewSlots,
    dues: {},
    latestFirst: true,
    maxActive,
    past: {
      own: await loadPastRuns(pool, 'scores', [model]),
      views: await loadPastRuns(pool, 'features', names),
    },
  })
}

function modeOf(options: Options): BackfillMode {
  if (options.failed && options.all)
    throw new ConfigurationError('backfill: expected --failed or --all, got both')
  return options.all ? 'all' : options.failed ? 'failed' : 'missing'
}

async function choiceOf(
  { pool, model, known }: { pool: Session['database']['pool']; model: string; known: number[] },
  options: Options,
): Promise<VersionChoice> {
  if (options.version !== undefined && options.asWas) {
    throw new ConfigurationError('backfill: expected --version N or --as-was, got both')
  }
  if (options.version !== undefined) {
    if (!known.includes(options.version)) {
      throw new ConfigurationError(
        `backfill: expected --version to be a registered one (${known.toReversed().join(', ') || 'none is registered'}), got: ${options.version}`,
      )
    }
    return { use: 'version', version: options.version }
  }
  if (options.asWas) {
    const changes = (await historyOf(pool, model)).filter((entry) => entry.event !== 'registered')
    return { use: 'as-was', champions: changes.map(({ at, version }) => ({ at, version })) }
  }
  return { use: 'champion', version: (await champion(pool, model))?.version }
}

function printPlan(plan: BackfillPlan): void {
  const runs = plan.slots.filter((step) => step.action === 'run')
  printTable(
    ['as of', 'action', 'version', 'reason'],
    plan.slots.map((step) => [step.as_of, step.action, step.version, step.reason]),
  )
  const estimate = plan.estimate_seconds === null ? '' : `, about ${span(plan.estimate_seconds * 1000)}`
  const refreshes = plan.refresh.length === 0 ? '' : `, ${plan.refresh.length} features refreshed first`
  const replaced = runs.filter((step) => step.replaces !== null).length
  printLine(
    `${runs.length} of ${plan.slots.length} nights to run${refreshes}${replaced === 0 ? '' : `, ${replaced} partitions replaced`}${estimate}`,
  )
}

async function agreed(options: Options, runs: number): Promise<boolean> {
  if (options.yes) return true
  if (process.stdin.isTTY !== true) {
    throw new ConfigurationError(
      `backfill: expected --yes, since there is no terminal to ask on; --dry-run shows the plan alone`,
    )
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`run ${runs} nights? [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
