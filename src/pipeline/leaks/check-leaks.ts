import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duration, Source, View } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { labelView } from '../../project/time/label-window.ts'
import { LAST } from '../cut/cut.ts'
import { buildDataset } from '../dataset/build-dataset.ts'
import { openLabelQuery } from '../dataset/label-query.ts'
import { openEngine } from '../engine/duckdb.ts'
import { limitOfEach } from '../engine/engine-bounds.ts'
import { Failure } from '../engine/failure.ts'
import type { FoundSource } from '../sources/sources.ts'
import { checkEquality } from './equality.ts'
import { editsOf, findFlags, findRewritten } from './hindsight.ts'
import type { Leak } from './leak.ts'
import { findLoadDates } from './loads.ts'
import { spreadAsOfs } from './moments.ts'
import { leakRisks } from './risks.ts'
import { findSeparating, type Separation } from './separation.ts'
import { openSurvey } from './survey.ts'
import { endOfData, surveyTimes } from './times.ts'

export interface LeaksRequest {
  /** Absolute path of the project. */
  root: string
  model: string
  view: View
  /** Sources that labels.sql sees beside the view's. */
  sources?: Record<string, Source> | undefined
  /** Undefined: features are not tested against a label. */
  labels: { sql: string; sqlFile: string; horizon: Duration; lag: Duration } | undefined
  /** Empty: three as-ofs whose labels are known, spread over the time of the sources. */
  asOfs: AsOf[]
  timezone: string
  /** ISO 8601: the clock. */
  now: string
  threads: number
  /** Of Nightshift, for the training set that labels come with. */
  release: string
  progress?: (text: string, done?: number, total?: number) => void
}

export interface LeakFacts {
  view: string
  as_of: string[]
  /** Values of features that were computed from truncated sources too, and how many of them are others there. */
  values: number
  differing: number
  labelled_rows: number
  /** How well each feature alone separates the label, 0.5 to 1. */
  auc: Separation['auc']
  leaks: Leak[]
  notes: string[]
}

/**
 * Searches for information that a training set over this view would have and no night could. Throws Failures as
 * `computeFeatures` does; what it finds are facts.
 */
export async function checkLeaks(request: LeaksRequest): Promise<LeakFacts> {
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-leaks-')))
  const { root, view, timezone, threads, now, progress } = request
  const survey = await openSurvey({ root, view, timezone, threads, temp }).catch(async (error: unknown) => {
    await rm(temp, { recursive: true, force: true })
    throw error
  })
  try {
    progress?.('checking the times of the sources')
    const times = await surveyTimes(survey)
    const end = endOfData(times)
    const founds = survey.sources.map(({ found }) => found)
    const asOfs = request.asOfs.length > 0 ? request.asOfs : await spread(request, founds, temp)
    const leaks: Leak[] = leakRisks(view)
    leaks.push(...(await findLoadDates(survey.engine, view, times, asOfs, timezone)))
    leaks.push(...(await findFlags(survey.engine, view, times, asOfs, end)))
    leaks.push(...(await findRewritten(survey.engine, view, times, asOfs, end)))
    const notes: string[] = []
    if (asOfs.length === 0) notes.push('the sources have no times: nothing could be recomputed')
    const edits = editsOf(times, end)
    // Two engines at once, as there is work for two processors even where the sources are small.
    const memoryLimit = limitOfEach(2)
    const equal = { root, view, timezone, now, temp, threads, memoryLimit, survey, edits }
    let [values, differing] = [0, 0]
    const compareAll = async () => {
      for (const [index, asOf] of asOfs.entries()) {
        progress?.(`as of ${asOf.label}, from sources truncated there`, index, asOfs.length)
        const equality = await checkEquality(equal, asOf)
        values += equality.values
        differing += equality.differing
        if (equality.rows === 0) notes.push(`as of ${asOf.label} the view has no rows`)
        merge(leaks, equality.leaks)
      }
      progress?.('testing each feature against the label', asOfs.length, asOfs.length)
    }
    const both = [compareAll(), separate({ ...request, memoryLimit }, asOfs, temp)] as const
    await Promise.allSettled(both)
    const [, separation] = await Promise.all(both)
    leaks.push(...separation.leaks)
    if (separation.note !== undefined) notes.push(separation.note)
    return {
      view: view.name,
      as_of: asOfs.map(({ label }) => label),
      values,
      differing,
      labelled_rows: separation.rows,
      auc: separation.auc,
      leaks: leaks.sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning')),
      notes,
    }
  } finally {
    survey.close()
    await rm(temp, { recursive: true, force: true })
  }
}

/** One finding for all as-ofs: of those that say the same, the one with most rows. */
function merge(leaks: Leak[], more: Leak[]): void {
  for (const leak of more) {
    const same = leaks.findIndex(
      ({ kind, source, column }) => kind === leak.kind && source === leak.source && column === leak.column,
    )
    const before = leaks[same]
    if (before === undefined) leaks.push(leak)
    else if (leak.rows > before.rows) leaks[same] = leak
  }
}

/** The sources that labels.sql reads decide which as-ofs have labels, those of model.yaml too. */
async function spread(
  { root, labels, timezone, threads, now, ...request }: LeaksRequest,
  founds: FoundSource[],
  temp: string,
): Promise<AsOf[]> {
  if (labels === undefined) return spreadAsOfs(founds, timezone, now, undefined)
  const view = labelView(request.view, request)
  const query = await openLabelQuery({ root, view, timezone, now, temp, threads }, labels, {
    end: { instant: now, local: LAST.local },
    complete: now,
    asOf: undefined,
  })
  try {
    const { horizon, lag } = labels
    const own = query.sources
      .map(({ found }) => found)
      .filter(({ name }) => request.view.sources[name] === undefined)
    const read = { horizon, lag, sources: query.checked.tables }
    return spreadAsOfs([...founds, ...own], timezone, now, read)
  } finally {
    query.close()
  }
}

async function separate(
  request: LeaksRequest & { memoryLimit: string | undefined },
  asOfs: AsOf[],
  temp: string,
): Promise<Separation> {
  const { root, model, view, labels, timezone, now, threads, memoryLimit, release } = request
  const none = (note: string): Separation => ({ leaks: [], auc: {}, note, rows: 0 })
  if (labels === undefined)
    return none(`model ${model} has no labels: features were not tested against labels`)
  if (asOfs.length === 0) return none('without as-ofs, features were not tested against the label')
  try {
    const { manifest, folder } = await buildDataset({
      root,
      model,
      view,
      sources: request.sources,
      labels,
      asOfs,
      holdoutFrom: undefined,
      timezone,
      now,
      folder: join(temp, 'labelled'),
      threads,
      memoryLimit,
      release,
      hashed: false,
    })
    const engine = await openEngine({
      readable: [],
      writable: [temp],
      temp,
      threads,
      memoryLimit,
      timezone: 'UTC',
    })
    try {
      return await findSeparating({
        engine,
        view: view.name,
        file: join(folder, 'train.parquet'),
        entity: view.entity,
        features: manifest.features,
        label: { name: manifest.label.column, type: manifest.label.type },
      })
    } finally {
      engine.close()
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.failureClass !== 'late-data') throw error
    return none(`features were not tested against the label: ${error.message}`)
  }
}
