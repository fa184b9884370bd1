import type { ClientBase } from 'pg'
import { saysMoved } from '../alerts/drift-letter.ts'
import type { DriftFacts, MovedColumn } from '../alerts/facts.ts'
import { reportRecovery } from '../alerts/report.ts'
import { alertSettings } from '../alerts/settings.ts'
import { findRun, type Run } from '../jobs/runs.ts'
import { lockSlot } from '../jobs/slots.ts'
import type { Drift } from '../pipeline/drift/drift.ts'
import { excess } from '../pipeline/drift/excess.ts'
import { alertingColumns, beganAt, readPersist } from '../pipeline/drift/persistence.ts'
import type { Profile } from '../pipeline/profile/profile.ts'
import type { Model } from '../project/project.ts'
import {
  driftOfRun,
  type JudgedNight,
  judgedNights,
  markAlerting,
  type NightProfile,
  profileOfRun,
} from '../registry/profiles.ts'
import type { Monitoring } from './monitor.ts'
import type { Reference } from './reference.ts'
import { tellFailure } from './report.ts'
import { type NightSlices, NO_SLICES } from './slices.ts'

/** A picture a column: more than these make a mail large, and show the same. */
const MOST_PICTURES = 3

/**
 * What follows from a night that was just recorded: which columns alert on it and on the nights after it, and the
 * incident as the newest night leaves it. Whatever the order in which nights are looked at, the end is the same.
 */
export async function followDrift(
  client: ClientBase,
  context: Monitoring,
  night: { model: Model; run: Run; reference: Reference; slices: NightSlices },
): Promise<void> {
  const { model, run } = night
  const persist = readPersist(model.drift.persist)
  const nights = await judgedNights(client, model.name, run.as_of)
  const drifted = nights.map((each) => new Set(each.drifted))
  const alerting = alertingColumns(drifted, persist)
  for (const [index, each] of nights.entries()) {
    if (each.as_of >= run.as_of) await markAlerting(client, each.run, [...(alerting[index] ?? [])])
  }
  const last = nights.at(-1)
  const columns = alerting.at(-1)
  if (last === undefined || columns === undefined) return
  if (columns.size === 0) {
    await tellPassed(client, context, model, last)
    return
  }
  // A quiet night among those that alert: nothing new is to be said, and the all-clear comes with the next.
  if ([...columns].every((column) => !last.drifted.includes(column))) return
  const moved = await movedColumns(client, last, nights, columns, persist)
  await tellDrift(client, context, { ...night, last, moved })
}

async function movedColumns(
  client: ClientBase,
  last: JudgedNight,
  nights: JudgedNight[],
  alerting: Set<string>,
  persist: { drifted: number; nights: number },
): Promise<MovedColumn[]> {
  const drifted = nights.map((each) => new Set(each.drifted))
  return (await driftOfRun(client, last.run))
    .filter(({ column, drifted: now }) => now && alerting.has(column))
    .map((drift): MovedColumn => {
      const began = nights[beganAt(drifted, drift.column, persist) ?? nights.length - 1]
      const recent = drifted.slice(-persist.nights).filter((each) => each.has(drift.column))
      return { ...drift, since: began?.partition ?? last.partition, nights: recent.length }
    })
    .sort((a, b) => excess(b) - excess(a))
}

async function tellPassed(
  client: ClientBase,
  context: Monitoring,
  model: Model,
  last: JudgedNight,
): Promise<void> {
  const run = await findRun(client, last.run)
  await reportRecovery(
    client,
    context.clock(),
    {
      subject: model.name,
      subjectKind: 'model',
      partition: undefined,
      kinds: ['drift'],
      how: 'passed',
      run: last.run,
      rows: run?.rows ?? undefined,
      by: undefined,
      lastGood: undefined,
    },
    alertSettings(context.project()),
  )
}

async function tellDrift(
  client: ClientBase,
  context: Monitoring,
  told: {
    model: Model
    run: Run
    reference: Reference
    slices: NightSlices
    last: JudgedNight
    moved: MovedColumn[]
  },
): Promise<void> {
  const { model, reference, last, moved } = told
  const run = last.run === told.run.id ? told.run : await findRun(client, last.run)
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
    ...(run.id === told.run.id ? told.slices : NO_SLICES),
    pictures: picturesOf(reference.profile, profile, moved, score),
  }
  const failure = {
    class: 'drift',
    message: `${saysMoved(moved)}; ${saysScore(score)}; compared with ${drift.reference}`,
    anchor: '#drift',
    evidence: {},
  } as const
  await tellFailure(client, context, { slot, run, checks: [] }, failure, 'published', drift)
}

function saysScore(score: Drift | null): string {
  if (score === null) return 'the scores are not watched'
  if (score.mean === null || score.reference.mean === null) return 'the scores have no mean'
  return `the scores ${score.drifted ? 'moved too' : 'stay within what is usual'} (mean ${short(score.reference.mean)} before, ${short(score.mean)} now)`
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}

/** The columns that moved most, and the score beside them. */
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
