import { figure } from '../../format/numbers.ts'
import { percent } from '../../format/shares.ts'
import { readableTime, timeText } from '../../format/time-text.ts'
import { postIfAlone } from '../../host/deliver-if-alone.ts'
import { type Session, withSession } from '../../host/session.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { publishedRun } from '../../ledger/nights/published.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import { monitorNight } from '../../monitoring/drift/job.ts'
import {
  driftOfRun,
  type NightDrift,
  type NightProfile,
  profileOfRun,
} from '../../monitoring/drift/record.ts'
import { DECIDING, MEASURES, NO_FIGURES, nameOf } from '../../pipeline/drift/measures.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { modelNamed } from '../../project/named.ts'
import type { Model } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  asOf: string
}

/** `drift MODEL --as-of D`: a report; its exit code is 0 even if columns drifted. */
export default function driftCommand([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const model = modelNamed(project, name)
    const asOf = parseAsOf(options.asOf, project.timezone)
    const run = await publishedRun(database.pool, 'scores', model.name, asOf.label)
    if (run === undefined) {
      throw new ConfigurationError(
        `drift: expected a published night of ${model.name}, got: ${asOf.label}, which has none: nightshift run ${model.name} --as-of ${asOf.label}`,
      )
    }
    const night = await profileOf(session, run)
    const drift = await driftOfRun(database.pool, run.id)
    if (options.json) {
      const { reference, note, backfilled } = night
      const columns = drift.length === 0 ? notCompared(night) : drift
      printJson(
        columns.map((each) => ({
          ...recordOf(each),
          compared_with: reference,
          night_note: note,
          backfilled,
        })),
      )
    } else print(model, run, night, drift)
    return 0
  })
}

/** One column as data: `as_of` is the partition's name, `instant` its instant; means of times are also given as text. */
function recordOf({ as_of: instant, ...column }: NightDrift) {
  const { partition, type, mean, reference } = column
  return {
    ...column,
    as_of: partition,
    instant,
    mean_time: timeText(mean, type),
    reference: { ...reference, mean_time: timeText(reference.mean, type) },
  }
}

/** The columns of a night without a reference: their own figures, and a note that states why there is no comparison. */
function notCompared({ run, model, as_of, partition, profile, note }: NightProfile): NightDrift[] {
  return profile.columns.map((column) => ({
    column: column.column,
    score: column.score,
    type: column.type,
    rows: column.rows,
    ...NO_FIGURES,
    null_rate: column.rows === 0 ? 0 : column.nulls / column.rows,
    unseen_rate: null,
    reference: { rows: 0, null_rate: 0, mean: null },
    mean: column.kind === 'number' ? column.mean : null,
    statistic: DECIDING[column.kind].statistic,
    threshold: null,
    threshold_from: null,
    p: null,
    drifted: false,
    fired: [],
    note,
    run,
    model,
    as_of,
    partition,
    alerting: false,
  }))
}

/** If no check of the night was completed yet, checks it here, with the same consequences as in a worker. */
async function profileOf(session: Session, run: Run): Promise<NightProfile> {
  const { project, database, log } = session
  const known = await profileOfRun(database.pool, run.id)
  if (known !== undefined && known.profile.columns.length > 0) return known
  await withChild(project, (children) =>
    monitorNight(
      {
        database,
        children,
        log,
        warehouse: project.warehouse,
        project: () => project,
        clock: ledgerClock(database),
      },
      { run: run.id },
    ),
  )
  await postIfAlone(session)
  const night = await profileOfRun(database.pool, run.id)
  if (night !== undefined) return night
  throw new ConfigurationError(`drift: run ${run.id} was replaced during the check: run the command again`)
}

function comparisonOf({ reference, note }: NightProfile): string {
  if (reference === null) return note ?? 'there is no reference to compare it with'
  return `compared with ${reference}${note === null ? '' : ` (${note})`}`
}

function print(model: Model, run: Run, night: NightProfile, drift: NightDrift[]): void {
  const back = night.backfilled ? ', backfilled: not used for alerts' : ''
  printLine(
    `${model.name} ${run.partition}: ${night.rows} rows, version ${night.version}, run ${run.id}${back}`,
  )
  printLine(comparisonOf(night))
  if (night.estimate !== null) {
    const { auc, rate } = night.estimate
    printLine(
      `estimated from the scores alone, before labels are known: ${rate === null ? 'no rate' : `a rate of ${figure(rate)}`}${auc === null ? '' : `, an AUC of ${figure(auc)}`}`,
    )
  }
  if (drift.length === 0) return
  printLine('')
  printTable(
    [
      'column',
      'rows',
      ...MEASURES.map(({ name }) => name),
      'null',
      'unseen',
      'mean before',
      'mean',
      'threshold',
      '',
      'note',
    ],
    drift.map((each) => [
      each.score ? `${each.column} (score)` : each.column,
      each.rows,
      ...MEASURES.map(({ key }) => figure(each[key])),
      nulls(each),
      // Without rows there is no rate.
      each.rows === 0 ? '' : percent(each.unseen_rate),
      readableTime(each.reference.mean, each.type) ?? figure(each.reference.mean),
      readableTime(each.mean, each.type) ?? figure(each.mean),
      each.threshold === null
        ? ''
        : `${figure(each.threshold)} (${nameOf(each.statistic)}, ${each.threshold_from})`,
      signOf(each),
      each.note,
    ]),
  )
  printLine('')
  const drifted = drift.filter((each) => each.drifted).length
  const alerting = drift.filter((each) => each.alerting).length
  const unknown = drift.filter((each) => each.threshold === null && !each.drifted).length
  printLine(
    `${drift.length} columns: ${drifted} drifted, ${alerting} alert${model.drift.persist === '1 of 1' ? '' : ` (drifted on ${model.drift.persist} nights)`}${unknown === 0 ? '' : `, ${unknown} could not be compared`}`,
  )
}

/** Capitals: the column drifted on this night. Lower case: it drifted on earlier nights, and its alert is still open. */
function signOf({ alerting, drifted }: NightDrift): string {
  if (drifted) return alerting ? 'ALERTS' : 'DRIFTED'
  return alerting ? 'alerts since earlier nights' : ''
}

/** The night's null rate with the reference's, which the alert compares: `25 % (was 3.0 %)`. */
function nulls({ rows, null_rate, reference }: NightDrift): string {
  if (rows === 0) return ''
  return percent(null_rate) + (reference.rows === 0 ? '' : ` (was ${percent(reference.null_rate)})`)
}
