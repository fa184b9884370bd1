import { createInterface } from 'node:readline/promises'
import type { GlobalOptions } from '../../cli.ts'
import { duration } from '../../format/elapsed.ts'
import { count } from '../../format/numbers.ts'
import { type Session, withSession } from '../../host/session.ts'
import { loadBackfillSlots, loadPastRuns, takenNights } from '../../jobs/backfills/backfill-slots.ts'
import {
  type BackfillMode,
  type BackfillPlan,
  type BackfillSlot,
  type BackfillStep,
  planBackfill,
  type VersionChoice,
} from '../../jobs/backfills/plan-backfill.ts'
import { startBackfill } from '../../jobs/backfills/start-backfill.ts'
import { expandSlots, mergeSlots } from '../../jobs/planning/calendar.ts'
import { settingsFor } from '../../jobs/request-run.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Project } from '../../project/project.ts'
import { type AsOf, asOfRange, parseAsOf } from '../../project/time/asof.ts'
import { championChanges } from '../../registry/history-records.ts'
import { champion, listVersions } from '../../registry/version-records.ts'
import { modelNamed, personNamed } from '../terminal/find.ts'
import { followBackfill } from '../terminal/follow-backfill.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { staleAmong } from '../terminal/stale.ts'
import { refuseChangedViews } from '../terminal/unchanged-views.ts'

export interface BackfillOptions extends GlobalOptions {
  from: string
  to: string
  missing?: boolean
  failed?: boolean
  stale?: boolean
  all?: boolean
  version?: number
  asWas?: boolean
  maxActive?: number
  dryRun?: boolean
  yes?: boolean
  by?: string
}

const MAX_ACTIVE = 4

/** `backfill MODEL --from D --to D`: shows its plan, asks for confirmation, and follows it to the end. */
export default function backfill([name = '']: string[], options: BackfillOptions): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name).name
    const by = personNamed(project, options.by)
    const { timezone } = project
    const asOfs = asOfRange(parseAsOf(options.from, timezone), parseAsOf(options.to, timezone), timezone)
    const maxActive = Math.max(1, options.maxActive ?? MAX_ACTIVE)
    const plan = await planFor(session, model, asOfs, maxActive, options)
    const steps = plan.slots.filter((step) => step.action === 'run')
    const runs = steps.length
    const versions = [...new Set(steps.map(({ version }) => version))].filter((version) => version !== null)
    await refuseChangedViews(session, 'backfill', model, versions)
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
    if (id === undefined) {
      printLine('nothing left to run: another backfill has taken these nights in the meantime')
      return 0
    }
    return followBackfill(session, id, options, { ...plan })
  })
}

export async function planFor(
  session: Session,
  model: string,
  asOfs: AsOf[],
  maxActive: number,
  options: BackfillOptions,
): Promise<BackfillPlan> {
  const { project, database } = session
  const { pool } = database
  const versions = await listVersions(pool, model)
  const views = Object.fromEntries(versions.map((version) => [version.version, [version.view]]))
  const names = [...new Set(versions.map((version) => version.view))]
  const slots = await loadBackfillSlots(pool, 'scores', model, asOfs)
  const viewSlots = await Promise.all(
    names.map(async (view) => [view, await loadBackfillSlots(pool, 'features', view, asOfs)] as const),
  )
  const stale = await staleAmong(session, [...slots, ...viewSlots.flatMap(([, own]) => own)])
  const withStale = (own: BackfillSlot[]) =>
    own.map((slot) => ({ ...slot, stale: stale.get(slot.published_run ?? '') }))
  return planBackfill({
    now: (await ledgerNow(pool)).toISOString(),
    kind: 'scores',
    name: model,
    asOfs,
    slots: withStale(slots),
    mode: modeOf(options),
    versions: await choiceOf({ pool, model, known: versions.map((version) => version.version) }, options),
    views,
    viewSlots: Object.fromEntries(viewSlots.map(([view, own]) => [view, withStale(own)])),
    taken: await takenNights(pool, model),
    dues: options.asWas === true ? duesOf(project, model, asOfs) : {},
    latestFirst: true,
    maxActive,
    past: {
      own: await loadPastRuns(pool, 'scores', [model]),
      views: await loadPastRuns(pool, 'features', names),
    },
  })
}

/** When the calendar runs, or would have run, each as-of: the earliest tick of the schedules that score the model. */
function duesOf(project: Project, model: string, asOfs: AsOf[]): Record<string, string> {
  const instants = asOfs.map((asOf) => Date.parse(asOf.instant))
  const from = new Date(Math.min(...instants)).toISOString()
  // A tick is within its as-of's day in any zone; the schedule's own zone may shift it by half a day.
  const to = new Date(Math.max(...instants) + 2 * 86_400_000).toISOString()
  const slots = Object.values(project.schedules)
    .filter((schedule) => schedule.score.includes(model))
    .flatMap((schedule) => expandSlots(project, { ...schedule, start: undefined }, from, to))
  return Object.fromEntries(
    mergeSlots(slots.filter((slot) => slot.kind === 'scores' && slot.name === model)).map((slot) => [
      slot.asOf.label,
      slot.due,
    ]),
  )
}

function modeOf(options: BackfillOptions): BackfillMode {
  const modes = (['missing', 'failed', 'stale', 'all'] as const).filter((mode) => options[mode] === true)
  if (modes.length > 1) {
    throw new ConfigurationError(
      `backfill: expected one of --missing, --failed, --stale and --all, got: ${modes.map((mode) => `--${mode}`).join(' ')}`,
    )
  }
  return modes[0] ?? 'missing'
}

async function choiceOf(
  { pool, model, known }: { pool: Session['database']['pool']; model: string; known: number[] },
  options: BackfillOptions,
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
    const changes = await championChanges(pool, model)
    return { use: 'as-was', champions: changes.map(({ at, version }) => ({ at, version })) }
  }
  return { use: 'champion', version: (await champion(pool, model))?.version }
}

function printPlan(plan: BackfillPlan): void {
  const runs = plan.slots.filter((step) => step.action === 'run')
  printTable(
    ['as of', 'action', 'version', 'reason'],
    stretches(plan.slots).map(({ steps, reason }) => [
      nightsOf(steps),
      steps[0]?.action,
      steps[0]?.version,
      reason,
    ]),
  )
  const estimate = plan.estimate_seconds === null ? '' : `, about ${duration(plan.estimate_seconds * 1000)}`
  const refreshes = plan.refresh.length === 0 ? '' : `, ${plan.refresh.length} features refreshed first`
  const rows = plan.rows === null || runs.length === 0 ? '' : `, about ${count(plan.rows)} rows`
  const replaced = runs.filter((step) => step.replaces !== null).length
  printLine(
    `${runs.length} of ${plan.slots.length} nights to run${refreshes}${replaced === 0 ? '' : `, ${replaced} partitions replaced`}${rows}${estimate}`,
  )
}

/** Groups consecutive nights into one line if only the run ids in their reasons differ. */
function stretches(steps: BackfillStep[]): { steps: BackfillStep[]; reason: string }[] {
  const lines: { steps: BackfillStep[]; reason: string; key: string }[] = []
  for (const step of steps) {
    const common = step.reason.replace(/\brun [a-z][a-z0-9]{7}\b/g, 'runs of their own')
    const key = `${step.action} ${step.version} ${common}`
    const last = lines.at(-1)
    if (last?.key === key) {
      last.steps.push(step)
      last.reason = common
    } else lines.push({ steps: [step], reason: step.reason, key })
  }
  return lines
}

function nightsOf(steps: BackfillStep[]): string {
  const [first, last] = [steps[0]?.as_of ?? '', steps.at(-1)?.as_of ?? '']
  return steps.length === 1 ? first : `${first} to ${last}, ${steps.length} nights`
}

async function agreed(options: BackfillOptions, runs: number): Promise<boolean> {
  if (options.yes) return true
  if (process.stdin.isTTY !== true) {
    throw new ConfigurationError(
      `backfill: expected --yes, because there is no terminal to ask for confirmation; --dry-run only shows the plan`,
    )
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`run ${runs} nights? [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
