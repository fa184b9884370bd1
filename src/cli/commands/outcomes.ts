import { checkLabels } from '../../actions/check-models.ts'
import { checkViews } from '../../actions/check-views.ts'
import { clockTime, localTimes } from '../../format/clock-time.ts'
import { figure, interval } from '../../format/numbers.ts'
import { postIfAlone } from '../../host/deliver-if-alone.ts'
import { type Session, withSession } from '../../host/session.ts'
import { ledgerClock, ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { expectOutcomes } from '../../monitoring/outcomes/due.ts'
import { measureNight } from '../../monitoring/outcomes/job.ts'
import { otherHorizons } from '../../monitoring/outcomes/other-horizons.ts'
import { type Outcome, outcomesOf } from '../../monitoring/outcomes/record.ts'
import { unmeasured } from '../../monitoring/outcomes/unmeasured-night.ts'
import { classify } from '../../pipeline/engine/classify.ts'
import { businessText } from '../../pipeline/outcomes/treatment.ts'
import { unlabelledText } from '../../pipeline/outcomes/unlabelled.ts'
import { formatProblems } from '../../project/files/format-problems.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed, viewNamed } from '../../project/named.ts'
import type { Model, Project, View } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import type { Children } from '../../workers/child/children.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { GlobalOptions } from '../command.ts'
import { groupTexts, type NightText } from '../terminal/group-texts.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { openProgress } from '../terminal/progress-bar.ts'

interface Options extends GlobalOptions {
  from?: string
  to?: string
  measure?: boolean
  newHorizon?: boolean
}

/** `outcomes MODEL [--from D] [--to D] [--measure [--new-horizon]]`: exit 1 if a night that is due could not be measured. */
export default function outcomes([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name)
    const view = viewNamed(project, model.view)
    if (model.labels === undefined) {
      throw new ConfigurationError(
        `outcomes: model ${model.name} has no labels: expected \`labels: { sql: labels.sql, horizon: 30d }\` in models/${model.name}/model.yaml`,
      )
    }
    if (options.newHorizon === true && options.measure !== true) {
      throw new ConfigurationError(
        'outcomes: expected --new-horizon together with --measure, got only --new-horizon',
      )
    }
    const instant = (text: string | undefined) =>
      text === undefined ? {} : { at: parseAsOf(text, project.timezone).instant }
    const [from, to] = [instant(options.from).at, instant(options.to).at]
    if (from !== undefined && to !== undefined && Date.parse(from) > Date.parse(to)) {
      throw new ConfigurationError(
        `outcomes: expected --from no later than --to, got: --from ${options.from} --to ${options.to}`,
      )
    }
    const span = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
    await expectOutcomes(database, project)
    if (options.measure === true) await measureDue(session, model, view, span, options)
    const nights = await outcomesOf(database.pool, model.name, span)
    const shown = nights.map(recordOf)
    if (options.json) printJson(shown)
    else if (nights.length === 0) printLine(noNightsText(model, options))
    else print(session, model, nights, await ledgerNow(session.database.pool))
    return options.measure === true && nights.some(({ run, state }) => state === 'failed' && run !== null)
      ? 1
      : 0
  })
}

/** Measures every night whose label window is over, including nights measured before: labels may have arrived late. */
async function measureDue(
  session: Session,
  model: Model,
  view: View,
  span: { from?: string; to?: string },
  options: Options,
): Promise<void> {
  const { project, database, log } = session
  const { name } = model
  const nights = await outcomesOf(database.pool, name, span)
  const now = (await ledgerNow(database.pool)).getTime()
  const due = nights.filter(({ matures_at, run }) => run !== null && Date.parse(matures_at) <= now)
  const bar = openProgress(options.json === true)
  await withChild(project, async (children, stop) => {
    const context = {
      database,
      children,
      log,
      warehouse: project.warehouse,
      clock: ledgerClock(database),
      project: () => project,
    }
    try {
      await refuseWrong(project, model, view, children)
      for (const [index, { partition }] of due.entries()) {
        const title = `outcomes of ${name}`
        bar.show('outcomes', title, `as of ${partition}`, { rows: index, total: due.length })
        // A failed measurement is retried by the next one; the table shows what is known so far.
        const result = await measureNight(
          context,
          { model: name, partition, newHorizon: options.newHorizon === true },
          {},
        ).catch((error: unknown) => classify(error).message)
        stop.throwIfAborted()
        bar.show('outcomes', title, `as of ${partition}: ${result}`, { rows: index + 1, total: due.length })
      }
    } finally {
      bar.close()
    }
  })
  await postIfAlone(session)
}

/** Checks the outcome SQL as `validate` does, before its results are recorded for each night. */
async function refuseWrong(project: Project, model: Model, view: View, children: Children): Promise<void> {
  const described = await checkViews(project, children, [view])
  const labels = await checkLabels(project, model, described.views[view.name], children)
  const errors = [...described.problems, ...labels.problems].filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return
  throw new ConfigurationError(
    `outcomes --measure: nothing was measured, the files have errors:\n${formatProblems(errors)}`,
    { problems: errors },
  )
}

function noNightsText({ name }: Model, { from, to }: Options): string {
  if (from === undefined && to === undefined)
    return `no night of ${name} can be measured yet: none is published, or all were backfilled`
  const window = [...(from === undefined ? [] : [`from ${from}`]), ...(to === undefined ? [] : [`to ${to}`])]
  return `no night of ${name} ${window.join(' ')} can be measured: none of that window is published, or all were backfilled`
}

/** One night as data; figures of a night that is not measured are null. */
function recordOf(night: Outcome) {
  const { partition, state, matures_at, horizon, lag, measured_at, run, version, note, report } = night
  return {
    as_of: partition,
    state,
    matures_at,
    horizon,
    lag,
    measured_at,
    run,
    version,
    note,
    rows: report?.rows ?? null,
    scored: report?.scored ?? null,
    unlabelled: report?.unlabelled ?? null,
    auc: report?.metrics.auc ?? null,
    realized: report?.realized ?? null,
    predicted: report?.predicted ?? null,
    biased: report?.treated.biased ?? null,
    business: report?.business ?? [],
    report,
  }
}

function print({ project }: Session, model: Model, nights: Outcome[], now: Date): void {
  const names = model.outcomes?.metrics.map(({ name }) => name) ?? []
  const first = nights.some(({ report }) => report?.kind === 'regression') ? 'rmse' : 'auc'
  printTable(
    [
      'as of',
      'state',
      'matures',
      'version',
      'rows',
      first === 'auc' ? 'AUC' : 'RMSE',
      '95 % interval',
      'predicted',
      'realized',
      '95 % interval',
      ...names,
    ],
    nights.map(({ partition, state, matures_at, version, report }) => [
      partition,
      state === 'measured' && report?.treated.biased === true ? 'measured, biased' : state,
      clockTime(matures_at, project.timezone),
      version,
      report?.rows,
      figure(report?.metrics[first]),
      interval(report?.intervals[first]),
      figure(report?.predicted),
      figure(report?.realized?.value),
      interval(report?.realized ?? undefined),
      ...names.map((name) => businessFigure(report, name)),
    ]),
  )
  for (const { nights: which, text } of groupTexts(nights.flatMap((night) => textsOf(night, now))))
    printLine(`${which}: ${localTimes(text, project.timezone)}`)
  for (const text of otherHorizons(nights, model.labels?.horizon.text ?? '')) {
    printLine(`note: ${text}: npx nightshift outcomes ${model.name} --measure --new-horizon`)
  }
  const notes = nights.flatMap(({ partition, report }) => {
    if (report === null) return []
    const texts = [unlabelledText(report), report.treated.note ?? undefined, businessText(report)]
    return texts.flatMap((text) => (text === undefined ? [] : [{ partition, text }]))
  })
  for (const { nights: which, text } of groupTexts(notes)) printLine(`note: ${text} (${which})`)
}

/** Texts about one night in addition to its figures. */
function textsOf(night: Outcome, now: Date): NightText[] {
  const { partition, state, report } = night
  const note = (state === 'immature' ? unmeasured(night, now) : undefined) ?? night.note
  const texts = [
    ...(note === null ? [] : [`${state}: ${note}`]),
    ...(report?.business ?? []).flatMap(({ name, error }) => (error === null ? [] : [`${name}: ${error}`])),
    ...(report?.notes ?? []),
  ]
  return texts.map((text) => ({ partition, text }))
}

function businessFigure(report: Outcome['report'], name: string): string {
  const found = report?.business.find((each) => each.name === name)
  if (found === undefined) return ''
  if (found.value === null) return 'none'
  const value = figure(found.value)
  return found.target === null ? value : `${value} (target ${figure(found.target)})`
}
