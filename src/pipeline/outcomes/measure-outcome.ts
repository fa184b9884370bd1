import { createHash } from 'node:crypto'
import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { showPath } from '../../project/object-path.ts'
import type { Duration, Outcomes, ScoreColumn, View } from '../../project/project.ts'
import type { LabelKind } from '../../project/rules/label-kind.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { type LabelWindow, labelWindow } from '../../project/time/label-window.ts'
import { labelCut } from '../cut/cut.ts'
import { contentOf } from '../dataset/content.ts'
import { type LabelFacts, labelsOf, newestOfLabels, refuseDoubles } from '../dataset/labels-of.ts'
import { immature } from '../dataset/maturity.ts'
import { type Engine, openEngine } from '../engine/duckdb.ts'
import type { InputFile } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, parquet } from '../engine/quote.ts'
import { readRunId } from '../partition/footer.ts'
import { keepFile } from '../partition/partition-files.ts'
import { inputsOf } from '../sources/input-files.ts'
import { cutSources } from '../sources/source-tables.ts'
import { fileKey } from '../sources/visible.ts'
import { timestamp } from '../sql/cut-query.ts'
import { businessFigures } from './business.ts'
import { entitiesOf, refuseOtherTypes } from './groups.ts'
import { measureNight } from './measure-night.ts'
import { createNight, type NightFiles } from './night-tables.ts'
import type { OutcomeFacts } from './outcome-facts.ts'
import { openNight } from './rows.ts'
import { treatmentOf } from './treatment.ts'
import { sourcesOfFigures, type WindowSources, writeSources } from './window-sources.ts'

/** A published file, and the run that its own metadata have to name. */
export interface StandingFile {
  /** Absolute path. */
  path: string
  run: string
}

/** Scores to compare with. `run` undefined: a file that names none. */
export interface RivalFile {
  path: string
  run: string | undefined
  /** In the order of the view's entity. */
  entity: string[]
  score: string
}

export interface OutcomeRequest {
  /** Absolute path of the project. */
  root: string
  /** With the sources of model.yaml (`labelView`). */
  view: View
  /** Names of the sources of model.yaml, which figures may read. */
  ownSources?: string[] | undefined
  labels: { sql: string; sqlFile: string; horizon: Duration; lag: Duration; kind?: LabelKind }
  asOf: AsOf
  timezone: string
  /** ISO 8601: the clock, and when the sources are read. */
  now: string
  /** The scores that stood, and the features that they were computed from. */
  scores: StandingFile
  features: StandingFile | undefined
  /** Other scores of the night: only rows that both have scored are measured. */
  rival?: RivalFile | undefined
  score: ScoreColumn
  segments: string[]
  /** A number of rows, or below 1 a share of them. */
  k: number
  seed: number
  resamples?: number | undefined
  /** Rows that are measured in memory; of more, intervals are those of a sample. Default: MOST_IN_MEMORY. */
  most?: number | undefined
  outcomes: Outcomes | undefined
  /** Absolute path of model.yaml. */
  modelFile: string
  /** What was measured before: nothing is done where nothing has changed since. */
  before: Pick<OutcomeFacts, 'inputs' | 'definition'> | undefined
  /** A folder of its own, on the warehouse's disk so that files can be linked into it. */
  temp: string
  threads: number
  memoryLimit?: string | undefined
}

export type OutcomeAnswer =
  /** The label window is not over; `reason` says until when, or which source has not come so far. */
  | { state: 'immature'; reason: string }
  /** The labels are unchanged, although their files may have changed. */
  | { state: 'unchanged'; inputs: InputFile[] }
  | { state: 'measured'; facts: OutcomeFacts }

/**
 * What came of one night's scores: the labels that a training set would have, joined by entity to the scores that
 * stood, measured with intervals that resample entities. Throws Failures: `contract` for SQL and files that do not
 * fit, `late-data` where a source has no file, `transient` where a file was replaced while it was being opened.
 */
export async function measureOutcome(request: OutcomeRequest): Promise<OutcomeAnswer> {
  const temp = await realpath(request.temp)
  const place = { ...request, temp }
  const window = labelWindow(request.asOf, request.labels, request.timezone)
  const reason = immature(window, request.now, await newestOfLabels(place))
  if (reason !== undefined) return { state: 'immature', reason }
  const definition = definitionOf(request)
  const before = request.before?.definition === definition ? request.before.inputs : undefined
  if (before !== undefined && (await isUntouched(request, window, before))) {
    return { state: 'unchanged', inputs: before }
  }
  const { files, labels, inputs, notes, missing, sources } = await collect({ ...request, temp }, window)
  if (before !== undefined && sameContent(before, inputs)) return { state: 'unchanged', inputs }
  const spill = join(temp, 'spill')
  await mkdir(spill, { recursive: true })
  const engine = await openEngine({
    readable: [],
    writable: [temp],
    temp: spill,
    threads: request.threads,
    memoryLimit: request.memoryLimit,
    timezone: request.timezone,
  })
  try {
    await createNight(engine, files, request.view.entity)
    if (request.rival !== undefined) await createRival(engine, request.rival, temp, request.view.entity)
    for (const [name, path] of sources.files)
      await engine.run(`CREATE TEMP VIEW ${identifier(name)} AS SELECT * FROM ${parquet(path)}`)
    const modelFile = showPath(request.root, request.modelFile)
    await refuseOtherTypes(engine, request.view.entity, [
      { table: 'labels', where: showPath(request.root, request.labels.sqlFile) },
      { table: 'treated', where: `${modelFile}, outcomes.treated` },
      { table: 'control', where: `${modelFile}, outcomes.control` },
    ])
    await refuseDoubles(engine, 'labels', place, window)
    const facts = await figuresOf(engine, place, {
      label: labels.label.name,
      hasFeatures: files.features !== undefined,
    })
    const business = await businessFigures(engine, request.outcomes?.metrics ?? [], {
      values: { as_of: timestamp(request.asOf.local), label_end: timestamp(window.end.local) },
      file: modelFile,
      sources: request.ownSources ?? [],
      missing,
    })
    return {
      state: 'measured',
      // What was not there is looked for at every look: its inputs are not known.
      facts: {
        ...facts,
        business,
        inputs,
        definition: sources.missing.size === 0 ? definition : `${definition} incomplete`,
        notes: [...notes, ...facts.notes],
      },
    }
  } finally {
    engine.close()
  }
}

type Figures = Omit<OutcomeFacts, 'business' | 'inputs' | 'definition'>

async function figuresOf(
  engine: Engine,
  { view, score, segments, outcomes, k, seed, resamples, most, temp, rival: other }: OutcomeRequest,
  { label, hasFeatures }: { label: string; hasFeatures: boolean },
): Promise<Figures> {
  const wanted = hasFeatures ? await segmentsIn(engine, segments) : { there: [], notes: [] }
  const night = await openNight(engine, {
    entity: view.entity,
    score: score.column,
    label,
    segments: wanted.there,
    hasRival: other !== undefined,
  })
  const { where, rows, treated } = treatmentOf(night, {
    treated: outcomes?.treated !== undefined,
    control: outcomes?.control !== undefined,
    decides: score.threshold !== undefined,
  })
  const request = { where, rows, k, seed, resamples, most, folder: temp }
  const { rival, notes, ...facts } = await measureNight(engine, night, request)
  const unmeasured = night.labelled === 0 ? 'no entity of the scores has a label' : undefined
  const empty = rows === 0 ? 'no row is left to measure' : undefined
  return {
    ...facts,
    ...(rival === null ? {} : { against: rival }),
    scored: night.scored,
    unlabelled: night.scored - night.labelled,
    treated,
    notes: [...wanted.notes, ...[unmeasured ?? empty].filter((note) => note !== undefined), ...notes],
  }
}

/** A segment may have come into model.yaml after the night. */
async function segmentsIn(engine: Engine, segments: string[]): Promise<{ there: string[]; notes: string[] }> {
  if (segments.length === 0) return { there: [], notes: [] }
  const columns = (await engine.rows('DESCRIBE features')).map((row) => String(row.column_name))
  const gone = segments.filter((name) => !columns.includes(name))
  return {
    there: segments.filter((name) => columns.includes(name)),
    notes: gone.map((name) => `no segment ${name}: the features of that night have no such column`),
  }
}

/** What of the model's files decides on the figures. */
function definitionOf({ view, labels, score, segments, k, outcomes, rival }: OutcomeRequest): string {
  return createHash('sha256')
    .update(
      JSON.stringify([
        view.entity,
        view.sources,
        labels.sql,
        labels.horizon.text,
        labels.lag.text,
        score,
        segments,
        k,
        outcomes ?? null,
        ...(rival === undefined ? [] : [rival.path, rival.run ?? null]),
      ]),
    )
    .digest('hex')
    .slice(0, 12)
}

/** The files that were read last time lie there as they did, and no other has come: by footers alone. */
async function isUntouched(
  { root, view, timezone, now }: OutcomeRequest,
  window: LabelWindow,
  before: InputFile[],
) {
  const used = new Set(before.map(({ source }) => source))
  const files = inputsOf(await cutSources(root, view, labelCut(window, now, timezone), { names: [...used] }))
  const keys = (inputs: InputFile[]) =>
    [...new Set(inputs.filter(({ source }) => used.has(source)).map(fileKey))].sort()
  return keys(files).join('\n\n') === keys(before).join('\n\n')
}

function sameContent(before: InputFile[], after: InputFile[]): boolean {
  return JSON.stringify(contentOf(before)) === JSON.stringify(contentOf(after))
}

interface Collected {
  files: NightFiles
  labels: LabelFacts
  inputs: InputFile[]
  notes: string[]
  /** Why a table is not there, by its name. */
  missing: Map<string, string>
  sources: WindowSources
}

/** Everything that is measured, as files in the folder. */
async function collect(request: OutcomeRequest, window: LabelWindow): Promise<Collected> {
  const { temp, outcomes } = request
  const scores = join(temp, 'scores.parquet')
  if (!(await pin(request.scores, scores))) {
    throw new Failure('transient', `${request.scores.path} was replaced while it was being opened`)
  }
  const { rival } = request
  if (rival !== undefined) {
    const link = join(temp, RIVAL_FILE)
    await keepFile(rival.path, link)
    if (rival.run !== undefined && (await readRunId(link)) !== rival.run) {
      throw new Failure('transient', `${rival.path} was replaced while it was being opened`)
    }
  }
  const path = join(temp, 'features.parquet')
  const pinned = request.features !== undefined && (await pin(request.features, path))
  const gone = pinned
    ? undefined
    : 'the features that were scored are no longer published: they were replaced since'
  const file = join(temp, 'labels.parquet')
  const labels = await labelsOf(request, window, file)
  const inputs = labels.inputs.filter(({ source }) => labels.used.includes(source))
  const group = async (name: 'treated' | 'control') => {
    const sql = outcomes?.[name]
    if (sql === undefined) return undefined
    const out = join(temp, `${name}.parquet`)
    const read = await entitiesOf(
      request,
      { name: `outcomes.${name}`, sql, sqlFile: request.modelFile },
      window,
      out,
    )
    inputs.push(...read)
    return out
  }
  const files = {
    scores,
    labels: file,
    treated: await group('treated'),
    control: await group('control'),
    features: pinned ? path : undefined,
  }
  const metrics = outcomes?.metrics ?? []
  const sources = await writeSources(
    request,
    await sourcesOfFigures(metrics, request.ownSources ?? []),
    window,
    { folder: temp, file: request.modelFile },
  )
  inputs.push(...sources.inputs)
  const missing = new Map([...sources.missing, ...(gone === undefined ? [] : [['features', gone] as const])])
  const notes = gone !== undefined && request.segments.length > 0 ? [`no segments: ${gone}`] : []
  return { files, labels, inputs, notes, missing, sources }
}

const RIVAL_FILE = 'rival.parquet'

async function createRival(engine: Engine, rival: RivalFile, temp: string, entity: string[]): Promise<void> {
  const score = identifier(rival.score)
  const keys = rival.entity.map(
    (name, index) => `${identifier(name)} AS ${identifier(entity[index] ?? name)}`,
  )
  await engine.run(
    `CREATE TEMP VIEW rival AS SELECT ${keys.join(', ')}, ${score}::DOUBLE AS rival_score
       FROM ${parquet(join(temp, RIVAL_FILE))} WHERE isfinite(${score}::DOUBLE)`,
  )
}

/** Links a file into the folder, where it cannot be replaced; false if it is not that run's. */
async function pin({ path, run }: StandingFile, link: string): Promise<boolean> {
  await keepFile(path, link)
  return (await readRunId(link)) === run
}
