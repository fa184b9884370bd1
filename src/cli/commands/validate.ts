import { resolve } from 'node:path'
import { checkModels, type ModelTimes } from '../../actions/check-models.ts'
import { checkViews, type DescribedViews } from '../../actions/check-views.ts'
import { hasLeak } from '../../actions/look-for-leaks.ts'
import { counted } from '../../format/numbers.ts'
import { withLedgerIfAny } from '../../host/session.ts'
import type { Database } from '../../ledger/connection/database.ts'
import type { TimeReading } from '../../pipeline/cut/time-readings.ts'
import type { LeakFacts } from '../../pipeline/leaks/check-leaks.ts'
import { classDoubt } from '../../pipeline/onnx/score-output.ts'
import { formatProblems } from '../../project/files/format-problems.ts'
import { loadExamples } from '../../project/files/load-examples.ts'
import { loadProject } from '../../project/files/load-project.ts'
import { ConfigurationError, firstProblems, type Problem } from '../../project/files/problem.ts'
import { loopbackLinks } from '../../project/loopback.ts'
import type { Project } from '../../project/project.ts'
import { activeChallengers } from '../../registry/challengers.ts'
import { changedView, describeChange, registeredAs } from '../../registry/changed-view.ts'
import { zoneProblem } from '../../registry/live-zone.ts'
import { findVersion, listVersions, liveVersions, type Version } from '../../registry/version-records.ts'
import { isSameView } from '../../registry/view-identity.ts'
import { knowingKeys } from '../../registry/view-promises.ts'
import { warmVersions } from '../../registry/warm.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { GlobalOptions } from '../command.ts'
import {
  isColoured,
  printColoured,
  printJson,
  printLine,
  printNotice,
  printTable,
} from '../terminal/print.ts'
import { findLeaks, printLeaks } from '../terminal/print-leaks.ts'

interface Options extends GlobalOptions {
  leaks?: string
  asOf?: string[]
}

/**
 * Checks all files, the SQL, the source schemas and the models' inputs in one run; exit 2 on any error. If there is none,
 * `--leaks MODEL` also checks the training sets for data that is not available at scoring time; exit 1 for a leak.
 */
export default async function validate(_args: string[], options: Options): Promise<number> {
  const root = resolve(options.project)
  if (options.asOf !== undefined && options.leaks === undefined) {
    throw new ConfigurationError('validate: expected --leaks MODEL with --as-of, got only --as-of')
  }
  const { project: files, problems } = loadProject(root)
  const project = files && ((await withLedgerIfAny(files, ({ pool }) => knowingKeys(pool, files))) ?? files)
  let leaks: LeakFacts | undefined
  let times: ViewReading[] = []
  if (project !== undefined) {
    const { root, timezone } = project
    for (const view of Object.values(project.views))
      problems.push(...loadExamples(root, view, timezone).problems)
    await withChild(project, async (children, stop) => {
      const described = await checkViews(project, children)
      const models = await checkModels(project, described.views, children)
      problems.push(...described.problems, ...models.problems)
      times = readingsOf(described.views, models.times)
      problems.push(...(await checkLive(project, described.views)))
      if (options.leaks !== undefined && !problems.some(({ severity }) => severity === 'error')) {
        leaks = await findLeaks(project, children, options.leaks, options)
      }
      stop.throwIfAborted()
    })
  }
  const errors = problems.filter((problem) => problem.severity === 'error').length
  const shown = firstProblems(problems)
  if (options.json) printJson({ valid: errors === 0, problems: shown, times, ...leaks })
  else if (shown.length > 0) printColoured(formatProblems(shown, { color: isColoured(process.stdout) }))
  if (!options.json && errors === 0 && project !== undefined) {
    const count = (what: object, word: string) => counted(Object.keys(what).length, word)
    printLine(
      `${project.name} is valid: ${count(project.views, 'view')}, ${count(project.models, 'model')}, ${count(project.schedules, 'schedule')}`,
    )
  }
  const links = project && loopbackLinks(project)
  if (!options.json && links !== undefined) printNotice(links)
  if (!options.json && times.length > 0) printTimes(times)
  if (!options.json && leaks !== undefined) printLeaks(options.leaks ?? '', leaks)
  return errors > 0 ? 2 : leaks !== undefined && hasLeak(leaks) ? 1 : 0
}

/** How a time column is read, by any SQL over a view's sources. */
type ViewReading = TimeReading & { view: string }

function readingsOf(views: DescribedViews, models: ModelTimes): ViewReading[] {
  const found = new Map<string, ViewReading>()
  const names = [...new Set([...Object.keys(views), ...Object.keys(models)])]
  for (const view of names) {
    for (const time of [...(views[view]?.times ?? []), ...(models[view] ?? [])]) {
      const key = [view, time.source, time.column].join('\n')
      if (!found.has(key)) found.set(key, { view, ...time })
    }
  }
  return [...found.values()]
}

function printTimes(times: ViewReading[]): void {
  printLine('')
  printTable(
    ['view', 'source', 'time', 'type', 'is read as'],
    times.map(({ view, source, column, type, cuts, reads }) => [
      view,
      source,
      cuts ? `${column} (cut)` : column,
      type,
      reads,
    ]),
  )
}

/** The view of a live version must not be edited or removed: its scores would be computed from other features. */
async function checkLive(project: Project, views: DescribedViews): Promise<Problem[]> {
  const found = await withLedgerIfAny(project, (database) => findLive(database, project, views))
  return found ?? []
}

async function findLive(database: Database, project: Project, views: DescribedViews): Promise<Problem[]> {
  const live = [
    ...(await liveVersions(database.pool)).map((version) => ({ version, role: 'live' })),
    ...(await challengersOf(database.pool)).map((version) => ({ version, role: 'in shadow' })),
    ...(await warmOnes(database.pool, project)).map((version) => ({ version, role: 'kept warm' })),
  ]
  const zone = await zoneProblem(database.pool, project.timezone)
  // A changed zone changes every view: report it once.
  if (zone !== undefined) {
    const at = { line: undefined, column: undefined }
    return [{ severity: 'error', file: 'nightshift.yaml', ...at, message: zone }]
  }
  const doubts = await doubtfulClasses(database.pool, project)
  const changed = live.flatMap(({ version, role }): Problem[] => {
    const { model, view, view_hash } = version
    if (project.models[model] === undefined) return []
    const described = views[view]
    const at = { severity: 'error', line: undefined, column: undefined } as const
    if (project.views[view] === undefined) {
      return [
        {
          ...at,
          file: `features/${view}/view.yaml`,
          message: `version ${version.version} of ${model} is ${role} and was registered on view ${view}, which no longer exists: restore it`,
        },
      ]
    }
    if (described === undefined || described.viewHash === '' || isSameView(view_hash, described)) return []
    const change = changedView(project, registeredAs(version, role), {
      what: 'the view on disk is',
      hash: described.viewHash,
    })
    return [{ ...at, file: `features/${view}/features.sql`, message: describeChange(change) }]
  })
  return [...changed, ...doubts]
}

/** Versions without an explicit score class, including those that a promotion or rollback may make live. */
async function doubtfulClasses(pool: Database['pool'], { models }: Project): Promise<Problem[]> {
  const found = await Promise.all(
    Object.values(models).map(async ({ name, onnx }) =>
      (await listVersions(pool, name)).flatMap(({ version, mapping }): Problem[] => {
        const doubt = classDoubt(mapping.output, onnx)
        const at = { line: undefined, column: undefined, file: `models/${name}/model.yaml` }
        return doubt === undefined
          ? []
          : [{ severity: 'warning', ...at, message: `version ${version} of ${name}: ${doubt}` }]
      }),
    ),
  )
  return found.flat()
}

async function challengersOf(pool: Database['pool']): Promise<Version[]> {
  const active = await activeChallengers(pool)
  const found = await Promise.all(active.map(({ model, version }) => findVersion(pool, model, version)))
  return found.filter((version) => version !== undefined)
}

/** Former champions that still score in shadow. */
async function warmOnes(pool: Database['pool'], { models }: Project): Promise<Version[]> {
  const warm = (await warmVersions(pool)).filter(
    ({ model, nights }) => nights < (models[model]?.rollback.keep_warm_nights ?? 0),
  )
  const found = await Promise.all(warm.map(({ model, version }) => findVersion(pool, model, version)))
  return found.filter((version) => version !== undefined)
}
