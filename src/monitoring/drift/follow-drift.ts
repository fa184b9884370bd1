import type { ClientBase } from 'pg'
import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import type { DriftFacts, MovedColumn } from '../../alerts/incidents/incident-facts.ts'
import { reportRecovery } from '../../alerts/incidents/report-incident.ts'
import { movedSentence } from '../../alerts/letters/drift-letter.ts'
import { figure } from '../../format/numbers.ts'
import { findRun, type Run } from '../../ledger/nights/run-records.ts'
import { lockSlot } from '../../ledger/nights/slots.ts'
import type { Drift } from '../../pipeline/drift/drift-figures.ts'
import { excess } from '../../pipeline/drift/excess.ts'
import {
  alertingColumns,
  beganAt,
  driftedLately,
  type Persist,
  readPersist,
  type Verdicts,
} from '../../pipeline/drift/persistence.ts'
import { columnKey } from '../../pipeline/profile/column-key.ts'
import type { Profile } from '../../pipeline/profile/profile.ts'
import type { Model } from '../../project/project.ts'
import { notifyFailure } from '../../workers/attempt/report-night.ts'
import type { Context } from '../../workers/context.ts'
import {
  driftOfRun,
  type JudgedNight,
  judgedNights,
  markAlerting,
  type NightProfile,
  profileOfRun,
} from './record.ts'
import type { Reference } from './reference.ts'
import { type NightSlices, NO_SLICES } from './slices.ts'

/** What monitoring needs from a worker; commands have it too. */
export type Monitoring = Pick<Context, 'database' | 'children' | 'warehouse' | 'project' | 'clock' | 'log'>

/** One picture per column: more of them make the mail large and add nothing. */
const MOST_PICTURES = 3

/**
 * Applies a newly recorded night: which columns alert on it and on the nights after it, and the incident as of the
 * newest night. The result does not depend on the order in which nights are checked.
 */
export async function followDrift(
  client: ClientBase,
  context: Monitoring,
  night: { model: Model; run: Run; reference: Reference; slices: NightSlices },
): Promise<void> {
  const { model, run } = night
  const persist = readPersist(model.drift.persist)
  const nights = await judgedNights(client, model.name, run.as_of)
  const verdicts = nights.map(verdictsOf)
  const alerting = alertingColumns(verdicts, persist)
  for (const [index, each] of nights.entries()) {
    if (each.as_of < run.as_of) continue
    const alert = each.columns.filter((column) => alerting[index]?.has(columnKey(column)))
    await markAlerting(client, each.run, alert)
  }
  const last = nights.at(-1)
  const columns = alerting.at(-1)
  if (last === undefined || columns === undefined) return
  if (columns.size === 0) {
    await reportPassed(client, context, model, last)
    return
  }
  const moved = await movedColumns(client, nights, verdicts, columns, persist)
  // A quiet night among alerting ones, or one that cannot be judged: nothing new to report.
  if (moved.length > 0) await reportDrift(client, context, { ...night, last, moved })
}

function verdictsOf({ columns }: JudgedNight): Verdicts {
  return new Map(columns.map((column) => [columnKey(column), column.verdict]))
}

/** The columns that drifted on the last night and alert, largest shift first. */
async function movedColumns(
  client: ClientBase,
  nights: JudgedNight[],
  verdicts: Verdicts[],
  alerting: Set<string>,
  persist: Persist,
): Promise<MovedColumn[]> {
  const last = nights.at(-1)
  if (last === undefined) return []
  return (await driftOfRun(client, last.run))
    .filter((drift) => drift.drifted && alerting.has(columnKey(drift)))
    .map((drift): MovedColumn => {
      const began = nights[beganAt(verdicts, columnKey(drift), persist) ?? nights.length - 1]
      const lately = driftedLately(verdicts, columnKey(drift), persist)
      return { ...drift, since: began?.partition ?? last.partition, nights: lately }
    })
    .sort((a, b) => excess(b) - excess(a))
}

async function reportPassed(
  client: ClientBase,
  context: Monitoring,
  model: Model,
  last: JudgedNight,
): Promise<void> {
  const run = await findRun(client, last.run)
  await reportRecovery(
    client,
    await context.clock(client),
    {
      subject: model.name,
      subjectKind: 'model',
      partition: undefined,
      kinds: ['drift'],
      how: 'passed',
      seenOn: last.partition,
      run: last.run,
      rows: run?.rows ?? undefined,
      by: undefined,
      lastGood: undefined,
    },
    alertSettings(context.project()),
  )
}

async function reportDrift(
  client: ClientBase,
  context: Monitoring,
  night: {
    model: Model
    run: Run
    reference: Reference
    slices: NightSlices
    last: JudgedNight
    moved: MovedColumn[]
  },
): Promise<void> {
  const { model, reference, last, moved } = night
  const run = last.run === night.run.id ? night.run : await findRun(client, last.run)
  const profile = await profileOfRun(client, last.run)
  if (run === undefined || profile === undefined) return
  const slot = await lockSlot(client, run.slot)
  const score = (await driftOfRun(client, run.id)).find((drift) => drift.score) ?? null
  const drift: DriftFacts = {
    reference: profile.reference ?? reference.text,
    note: profile.note,
    rows: profile.rows,
    persist: model.drift.persist,
    moved,
    score,
    ...(run.id === night.run.id ? night.slices : NO_SLICES),
    pictures: picturesOf(reference.profile, profile, moved, score),
  }
  const failure = {
    class: 'drift',
    message: `${movedSentence(moved)}; ${describeScore(score)}; compared with ${drift.reference}`,
    anchor: '#drift',
    evidence: {},
  } as const
  await notifyFailure(client, context, { slot, run, checks: [] }, failure, 'published', { drift })
}

function describeScore(score: Drift | null): string {
  if (score === null) return 'the scores are not monitored'
  if (score.mean === null || score.reference.mean === null) return 'the scores have no mean'
  return `the scores ${score.drifted ? 'moved too' : 'are within the usual range'} (mean ${figure(score.reference.mean)} before, ${figure(score.mean)} now)`
}

/** The columns that moved most, and the score. */
function picturesOf(
  reference: Profile,
  { profile }: NightProfile,
  moved: MovedColumn[],
  score: Drift | null,
): DriftFacts['pictures'] {
  const features = moved.filter((column) => !column.score)
  const shown: Pick<Drift, 'column' | 'score'>[] =
    score === null ? features : [...features.slice(0, MOST_PICTURES - 1), score]
  return shown.slice(0, MOST_PICTURES).flatMap(({ column, score: isScore }) => {
    const find = ({ columns }: Profile) =>
      columns.find((each) => each.column === column && each.score === isScore)
    const [before, tonight] = [find(reference), find(profile)]
    return before === undefined || tonight === undefined ? [] : [{ reference: before, tonight }]
  })
}
