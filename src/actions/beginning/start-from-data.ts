import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative, resolve, sep } from 'node:path'
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
import { type FirstFeatures, firstFeatures, matchedInputs } from './first-features.ts'
import { findLabel, firstLabels } from './first-labels.ts'
import { freshness, modelGuesses, modelName, nextCommands, nightAfter, openQuestions } from './first-steps.ts'
import { modelFile, readmeFile, runbookFile, scheduleFile, viewFile } from './proposal-files.ts'

export interface DataRequest {
  /** Absolute path of the project to be. */
  root: string
  /** Files, folders and globs. */
  data: string[]
  /** An ONNX file. */
  model: string | undefined
  /** Columns; undefined: guessed. */
  entity: string[] | undefined
  /** A file with a features.sql of the user's own; undefined: one is proposed. */
  features: string | undefined
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
  const files = [request.model, request.features].filter((path) => path !== undefined)
  const allowed = [...data, ...files].flatMap((path) => nameWithin(root, path))
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
  const proposed = firstFeatures(proposal, facts, label)
  const own = request.features === undefined ? undefined : ownSql(request.features)
  if (proposed.names.length === 0 && own === undefined)
    throw new ConfigurationError(
      `init: found no column for a feature beside ${proposal.entity.columns.join(', ')}${proposed.leftOut.map((each) => `; ${each}`).join('')}. Say what a row is of with --entity COLUMN; nothing was written`,
    )
  const labels = firstLabels(proposal, label)
  const owner =
    plainName(proposal.entity.columns[0] ?? '').replace(/_?(?:id|key|no|nr|number)$/, '') || 'entity'
  const view = `${owner}_features`
  const model = modelName(request, labels?.name)
  const asOf = nightAfter(proposal, today)
  const fresh = freshness(proposal, asOf)
  const contents = (features: FirstFeatures, seen: Seen | undefined) => {
    const guesses = [
      ...proposal.guesses,
      ...(labels === undefined ? [] : [labels.guess]),
      ...modelGuesses(facts, features.inputs, features.unmatched),
    ]
    const open = openQuestions(facts, features.inputs)
    const next = nextCommands(request, model, asOf, proposal, { horizon: labels?.horizon, open })
    const files: [path: string, text: string][] = [
      [
        `features/${view}/view.yaml`,
        viewFile(root, view, proposal, { features: seen, nullable: features.nullable, fresh }),
      ],
      [`models/${model}/model.yaml`, modelFile(model, view, { facts, features, labels })],
      ['README.md', readmeFile(basename(root), guesses, features.leftOut, next)],
    ]
    return { guesses, next, files }
  }
  const first = own === undefined ? proposed : { ...proposed, sql: own, names: [], nullable: [], leftOut: [] }
  const files = writeProject(
    root,
    [
      ['nightshift.yaml', firstSettings(root, timezone, asOf)],
      ...contents(first, undefined).files,
      [`features/${view}/features.sql`, first.sql],
      ...(labels === undefined ? [] : [[`models/${model}/labels.sql`, labels.sql] as [string, string]]),
      [`models/${model}/RUNBOOK.md`, runbookFile(model, view)],
      ['schedules/nightly.yaml', scheduleFile(model)],
    ],
    allowed,
  )
  const { problems, seen } = await tryOut(root, view, asOf, children)
  const names = (seen?.columns ?? [])
    .map(({ name }) => name)
    .filter((name) => !proposal.entity.columns.includes(name))
  const features = own === undefined ? proposed : { ...first, names, ...matchedInputs(facts, names) }
  const last = contents(features, seen)
  for (const [path, text] of last.files) writeFileSync(join(root, path), text)
  return {
    files,
    view,
    model,
    entity: proposal.entity.columns,
    as_of: asOf,
    rows: seen?.rows ?? 0,
    guesses: last.guesses,
    left_out: features.leftOut,
    unmatched_inputs: features.unmatched,
    problems,
    next: last.next,
  }
}

type Seen = Pick<TableLook, 'rows' | 'columns'>

function ownSql(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigurationError(
      `init: expected --features to be a file with one SELECT, got: ${path}, which cannot be read; nothing was written`,
      { cause },
    )
  }
}

/** Computes the features of one night in a temporary folder. */
async function tryOut(
  root: string,
  name: string,
  asOf: string,
  children: Children,
): Promise<{ problems: Problem[]; seen: Seen | undefined }> {
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

/** The name in the project's folder that a path begins with; none where it lies elsewhere. */
function nameWithin(root: string, path: string): string[] {
  const [first = ''] = relative(root, resolve(path)).split(sep)
  return first === '..' || first === '' ? [] : [first]
}
