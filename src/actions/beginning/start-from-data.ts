import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, extname, join, relative, resolve, sep } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { plainName } from '../../pipeline/beginning/data-paths.ts'
import type { Guess } from '../../pipeline/beginning/guess.ts'
import type { Proposal } from '../../pipeline/beginning/propose-sources.ts'
import type { TableLook } from '../../pipeline/beginning/table-look.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { ModelFacts } from '../../pipeline/onnx/inspect.ts'
import { openProject } from '../../project/files/load-project.ts'
import { ConfigurationError, type Problem } from '../../project/files/problem.ts'
import { firstSettings, machineZone, refuseOccupied, writeProject } from '../../project/init/init-project.ts'
import { viewNamed } from '../../project/named.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import type { Children } from '../../workers/child/children.ts'
import { withChild } from '../../workers/child/with-child.ts'
import { firstFeatures } from './first-features.ts'
import { findLabel, firstLabels } from './first-labels.ts'
import {
  inferredClass,
  modelFile,
  readmeFile,
  runbookFile,
  scheduleFile,
  viewFile,
} from './proposal-files.ts'

export interface DataRequest {
  /** Absolute path of the project to be. */
  root: string
  /** Files, folders and globs. */
  data: string[]
  /** An ONNX file. */
  model: string | undefined
  /** Columns; undefined: guessed. */
  entity: string[] | undefined
  /** ISO date: no as-of is later. */
  today: string
}

export interface Started {
  files: string[]
  view: string
  model: string
  entity: string[]
  /** The night that was computed to try the features, and its rows. */
  as_of: string
  rows: number
  guesses: Guess[]
  left_out: string[]
  /** Inputs of the model that no column was found for. */
  unmatched_inputs: string[]
  /** What `validate` would say of the SQL. */
  problems: Problem[]
  next: string[]
}

/**
 * Proposes a project over data that is there: sources, features, expectations, a model and its labels, and says what was guessed.
 * Computes the features of the newest night once, outside the warehouse, so that the proposal is known to run. Data stays
 * where it is. Throws ConfigurationErrors, having written nothing, where data or model cannot be read or nothing identifies a row.
 */
export async function startFromData(request: DataRequest): Promise<Started> {
  const { root, data, today } = request
  const timezone = machineZone()
  const allowed = [...data, ...(request.model === undefined ? [] : [request.model])].flatMap((path) =>
    nameWithin(root, path),
  )
  // What an earlier try has converted of text files.
  allowed.push('.nightshift')
  refuseOccupied(root, allowed)
  return withChild(undefined, async (children) => {
    const facts =
      request.model === undefined
        ? undefined
        : await told(
            children.run('inspect', { path: resolve(request.model) }),
            `init: --model ${request.model}: `,
          )
    // Copies of text files are kept in the project to be, for its first night.
    const proposal = await told(
      children.run('propose', {
        root,
        timezone,
        paths: data.map((path) => resolve(path)),
        entity: request.entity,
      }),
      '',
    )
    return write(request, children, proposal, { facts, timezone, today, allowed })
  })
}

/** What is wrong with the user's own data or model is theirs to know: no failure of a night. */
async function told<T>(work: Promise<T>, before: string): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof Failure) || !/^(?:contract|model|late-data)$/.test(cause.failureClass)) throw cause
    throw new ConfigurationError(`${before}${cause.message}`, { cause })
  }
}

async function write(
  request: DataRequest,
  children: Children,
  proposal: Proposal,
  {
    facts,
    timezone,
    today,
    allowed,
  }: { facts: ModelFacts | undefined; timezone: string; today: string; allowed: string[] },
): Promise<Started> {
  const { root } = request
  const label = findLabel(proposal)
  const features = firstFeatures(proposal, facts, label)
  if (features.names.length === 0)
    throw new ConfigurationError(
      `init: found no column for a feature beside ${proposal.entity.columns.join(', ')}: ${features.leftOut.join('; ')}; nothing was written`,
    )
  const labels = firstLabels(proposal, label)
  const owner =
    plainName(proposal.entity.columns[0] ?? '').replace(/_?(?:id|key|no|nr|number)$/, '') || 'entity'
  const view = `${owner}_features`
  const model = modelName(request, labels?.name)
  const asOf = nightAfter(proposal, today)
  const fresh = freshness(proposal, asOf)
  const guesses = [
    ...proposal.guesses,
    ...(labels === undefined ? [] : [labels.guess]),
    ...modelGuesses(facts, features.inputs, features.unmatched),
  ]
  const next = nextCommands(request, model, asOf, proposal, {
    horizon: labels?.horizon,
    isOpen: facts !== undefined && features.inputs === undefined,
  })
  const file = (seen: Pick<TableLook, 'rows' | 'columns'> | undefined) =>
    viewFile(root, view, proposal, { features: seen, fresh })
  const viewPath = `features/${view}/view.yaml`
  const files = writeProject(
    root,
    [
      ['nightshift.yaml', firstSettings(root, timezone, asOf)],
      [viewPath, file(undefined)],
      [`features/${view}/features.sql`, features.sql],
      [`models/${model}/model.yaml`, modelFile(model, view, { facts, features, labels })],
      ...(labels === undefined ? [] : [[`models/${model}/labels.sql`, labels.sql] as [string, string]]),
      [`models/${model}/RUNBOOK.md`, runbookFile(model, view)],
      ['schedules/nightly.yaml', scheduleFile(model)],
      ['README.md', readmeFile(basename(root), guesses, features.leftOut, next)],
    ],
    allowed,
  )
  const { problems, seen } = await tryOut(root, view, asOf, children)
  if (seen !== undefined) writeFileSync(join(root, viewPath), file(seen))
  return {
    files,
    view,
    model,
    entity: proposal.entity.columns,
    as_of: asOf,
    rows: seen?.rows ?? 0,
    guesses,
    left_out: features.leftOut,
    unmatched_inputs: features.unmatched,
    problems,
    next,
  }
}

/** Computes the features of one night in a temporary folder. */
async function tryOut(
  root: string,
  name: string,
  asOf: string,
  children: Children,
): Promise<{ problems: Problem[]; seen: Omit<TableLook, 'from'> | undefined }> {
  const project = openProject(root)
  const view = viewNamed(project, name)
  const { timezone } = project
  const { problems } = await children.run('describe', { root, view, timezone })
  if (problems.some(({ severity }) => severity === 'error')) return { problems, seen: undefined }
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-first-'))
  try {
    const temp = join(folder, 'tmp')
    mkdirSync(temp)
    const facts = await children.run('features', {
      root,
      view,
      asOf: parseAsOf(asOf, timezone),
      knownAt: `${asOf}T23:59:59Z`,
      timezone,
      out: join(folder, 'features.parquet'),
      temp,
      threads: 2,
      metadata: {},
    })
    const seen = await children.run('look', { root, path: facts.file.path })
    return { problems, seen }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The day after the newest row of all sources with a time, today at the latest. */
function nightAfter({ tables }: Proposal, today: string): string {
  const last = tables
    .flatMap(({ span }) => (span === undefined ? [] : [span.last.slice(0, 10)]))
    .filter((day) => day < today)
    .sort()
    .at(-1)
  return last === undefined ? today : Temporal.PlainDate.from(last).add({ days: 1 }).toString()
}

/** Sources that were fresh at the newest night are to stay as fresh. */
function freshness({ tables, entity }: Proposal, asOf: string): Record<string, string> {
  return Object.fromEntries(
    tables.flatMap(({ name, span, isState }) => {
      if (span === undefined || isState || entity.in[name] === undefined) return []
      const days = Temporal.PlainDate.from(span.last.slice(0, 10)).until(asOf, { largestUnit: 'day' }).days
      return days < 1 || days > 40 ? [] : [[name, `${days + 1}d`]]
    }),
  )
}

function modelGuesses(
  facts: ModelFacts | undefined,
  inputs: string[] | undefined,
  unmatched: string[],
): Guess[] {
  if (facts === undefined) return []
  const widths = facts.inputs.map(({ name, shape }) => `${name} [${shape?.join(', ') ?? ''}]`).join(', ')
  const isByName = facts.inputs.length > 1
  const output = facts.outputs.find(({ classes }) => classes?.length === 2)
  const score = output === undefined ? undefined : inferredClass(output)
  return [
    inputs !== undefined
      ? {
          what: `the model's inputs are ${inputs.join(', ')}`,
          why: isByName
            ? 'they have the names of columns'
            : 'there are as many features as its matrix is wide; their order is that of features.sql',
          sure: isByName ? 'sure' : 'unsure',
          other: 'inputs in model.yaml, in the order of training',
        }
      : {
          what: 'the inputs of the model are open',
          why:
            unmatched.length > 0
              ? `it reads ${unmatched.join(', ')}, and no column of the data has such a name`
              : `it reads ${widths}, and features.sql has another number of columns`,
          sure: 'sure',
          other: 'write them in features.sql, and inputs in model.yaml in the order of training',
        },
    ...(output === undefined
      ? []
      : [
          score === undefined
            ? {
                what: 'the class of the score is open',
                why: `the file has ${output.classes?.join(' and ')}`,
                sure: 'sure' as const,
                other: 'onnx: { class: ... } in model.yaml',
              }
            : {
                what: `the score is the probability of class ${score}`,
                why: 'the labels of the file leave no doubt',
                sure: 'sure' as const,
                other: 'onnx: { class: ... } in model.yaml',
              },
        ]),
  ]
}

function nextCommands(
  { model: file, root }: DataRequest,
  model: string,
  asOf: string,
  { tables }: Proposal,
  { horizon, isOpen }: { horizon: string | undefined; isOpen: boolean },
): string[] {
  const first = tables.flatMap(({ span }) => span?.first.slice(0, 10) ?? []).sort()[0]
  const day = (text: string, days: number) => Temporal.PlainDate.from(text).add({ days }).toString()
  const window = Number(horizon?.replace('d', '') ?? 0)
  const to = day(asOf, -window)
  const from = first === undefined || day(first, 90) > to ? to : day(first, 90)
  const path = file === undefined ? 'MODEL.onnx' : shownFrom(root, resolve(file))
  return [
    'nightshift validate',
    ...(horizon === undefined
      ? []
      : [
          `nightshift dataset ${model} --from ${from} --to ${to} --every 1mo${from === to ? '' : ` --holdout-from ${to}`}`,
        ]),
    ...(isOpen ? ['# first write what the model reads, in features.sql and in inputs of model.yaml'] : []),
    `nightshift register ${model} ${path}`,
    `nightshift run ${model} --as-of ${asOf} --version 1`,
  ]
}

function shownFrom(root: string, path: string): string {
  const within = relative(root, path)
  return within.startsWith('..') ? path : within
}

function modelName({ model }: DataRequest, label: string | undefined): string {
  if (label !== undefined) return label
  const stem = model === undefined ? '' : plainName(basename(model, extname(model)))
  return stem === '' ? 'first_model' : stem
}

/** The name in the project's folder that a path begins with; none where it lies elsewhere. */
function nameWithin(root: string, path: string): string[] {
  const [first = ''] = relative(root, resolve(path)).split(sep)
  return first === '..' || first === '' ? [] : [first]
}
