import type { GlobalOptions } from '../../cli.ts'
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
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { openChildren } from '../../workers/child/children.ts'
import { modelNamed } from '../terminal/find.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

interface Options extends GlobalOptions {
  asOf: string
}

/** `drift MODEL --as-of D`: a report, so that its exit code is 0 whatever has moved. */
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

/** One column as data: the night as its partition is called, and the instant beside it; means of times as text too. */
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

/** The columns of a night that there is nothing to compare with: what is known of them, and why it is no more. */
function notCompared({ run, model, as_of, partition, profile, note }: NightProfile): NightDrift[] {
  return profile.columns.map((column) => ({
    column: column.column,
    score: column.score,
    type: column.type,
    rows: column.rows,
    psi: null,
    jensen_shannon: null,
    wasserstein: null,
    ks: null,
    null_rate: column.rows === 0 ? 0 : column.nulls / column.rows,
    unseen_rate: null,
    reference: { rows: 0, null_rate: 0, mean: null },
    mean: column.kind === 'number' ? column.mean : null,
    statistic: column.kind === 'number' ? 'psi' : 'jensen_shannon',
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

/** Where no worker has looked at the night yet, this command does, and everything follows as if a worker had. */
async function profileOf(session: Session, run: Run): Promise<NightProfile> {
  const { project, database, log } = session
  const known = await profileOfRun(database.pool, run.id)
  if (known !== undefined) return known
  const children = openChildren({ places: 1, timeouts: () => project.timeouts })
  try {
    await monitorNight(
      {
        database,
        children,
        log,
        warehouse: project.warehouse,
        project: () => project,
        clock: ledgerClock(database),
      },
      { run: run.id },
    )
  } finally {
    await children.close()
  }
  await postIfAlone(session)
  const night = await profileOfRun(database.pool, run.id)
  if (night !== undefined) return night
  throw new ConfigurationError(
    `drift: run ${run.id} was replaced while it was looked at: run the command again`,
  )
}

function says({ reference, note }: NightProfile): string {
  if (reference === null) return note ?? 'there is nothing to compare it with'
  return `compared with ${reference}${note === null ? '' : ` (${note})`}`
}

function print(model: Model, run: Run, night: NightProfile, drift: NightDrift[]): void {
  const back = night.backfilled ? ', back-filled: enters no alert' : ''
  printLine(
    `${model.name} ${run.partition}: ${night.rows} rows, version ${night.version}, run ${run.id}${back}`,
  )
  printLine(says(night))
  if (night.estimate !== null) {
    const { auc, rate } = night.estimate
    printLine(
      `estimated from the scores alone, before anything is known: ${rate === null ? 'no rate' : `a rate of ${figure(rate)}`}${auc === null ? '' : `, an AUC of ${figure(auc)}`}`,
    )
  }
  if (drift.length === 0) return
  printLine('')
  printTable(
    [
      'column',
      'rows',
      'PSI',
      'Jensen-Shannon',
      'Wasserstein/sd',
      'K-S',
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
      figure(each.psi),
      figure(each.jensen_shannon),
      figure(each.wasserstein),
      figure(each.ks),
      nulls(each),
      // A rate of no rows is none.
      each.rows === 0 ? '' : percent(each.unseen_rate),
      readableTime(each.reference.mean, each.type) ?? figure(each.reference.mean),
      readableTime(each.mean, each.type) ?? figure(each.mean),
      each.threshold === null
        ? ''
        : `${figure(each.threshold)} (${each.statistic === 'psi' ? 'PSI' : 'Jensen-Shannon'}, ${each.threshold_from})`,
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

/** In capitals what drifted tonight; a column whose alert is older drifted on nights before. */
function signOf({ alerting, drifted }: NightDrift): string {
  if (drifted) return alerting ? 'ALERTS' : 'DRIFTED'
  return alerting ? 'alerts since earlier nights' : ''
}

/** Tonight's share of nulls beside the reference's, which its alert is about: `25 % (was 3.0 %)`. */
function nulls({ rows, null_rate, reference }: NightDrift): string {
  if (rows === 0) return ''
  return percent(null_rate) + (reference.rows === 0 ? '' : ` (was ${percent(reference.null_rate)})`)
}
