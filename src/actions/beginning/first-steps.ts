import { basename, extname, relative, resolve } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { plainName } from '../../pipeline/beginning/data-paths.ts'
import type { Guess } from '../../pipeline/beginning/guess.ts'
import type { Proposal } from '../../pipeline/beginning/propose-sources.ts'
import type { ModelFacts } from '../../pipeline/onnx/inspect.ts'
import { firstTrainingSet } from './first-training-set.ts'
import { inferredClass } from './proposal-files.ts'

/** The day after the newest row of all sources with a time, today at the latest. */
export function nightAfter({ tables }: Proposal, today: string): string {
  const last = tables
    .flatMap(({ span }) => (span === undefined ? [] : [span.last.slice(0, 10)]))
    .sort()
    .at(-1)
  return last === undefined || last >= today
    ? today
    : Temporal.PlainDate.from(last).add({ days: 1 }).toString()
}

/** Sources that were fresh at the newest night are to stay as fresh. */
export function freshness({ tables, entity }: Proposal, asOf: string): Record<string, string> {
  return Object.fromEntries(
    tables.flatMap(({ name, span, isState }) => {
      if (span === undefined || isState || entity.in[name] === undefined) return []
      const days = Temporal.PlainDate.from(span.last.slice(0, 10)).until(asOf, { largestUnit: 'day' }).days
      return days < 1 || days > 40 ? [] : [[name, `${days + 1}d`]]
    }),
  )
}

/** What was found out of an ONNX file: its inputs and the class of its score. */
export function modelGuesses(
  facts: ModelFacts | undefined,
  inputs: string[] | undefined,
  unmatched: string[],
): Guess[] {
  if (facts === undefined) return []
  const widths = facts.inputs.map(({ name, shape }) => `${name} [${shape?.join(', ') ?? ''}]`).join(', ')
  const isByName = facts.inputs.every(({ name }) => inputs?.includes(name) === true)
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

/** What only the user knows, to be written before a file can be registered. */
export function openQuestions(facts: ModelFacts | undefined, inputs: string[] | undefined): string[] {
  if (facts === undefined) return []
  const output = facts.outputs.find(({ classes }) => classes?.length === 2)
  return [
    ...(inputs === undefined
      ? ['write what the model reads, in features.sql and in inputs of model.yaml']
      : []),
    ...(output !== undefined && inferredClass(output) === undefined
      ? ['say in model.yaml which class the score is of: onnx: { class: ... }']
      : []),
  ]
}

/** The commands that lead to the first scores. */
export function nextCommands(
  { model: file, root }: { model: string | undefined; root: string },
  model: string,
  asOf: string,
  proposal: Proposal,
  { horizon, open }: { horizon: string | undefined; open: string[] },
): string[] {
  const window = Number(horizon?.replace('d', '') ?? 0)
  const path = file === undefined ? 'MODEL.onnx' : shownFrom(root, resolve(file))
  return [
    'nightshift validate',
    ...(horizon === undefined
      ? []
      : [`nightshift dataset ${model} ${firstTrainingSet(proposal, asOf, window)}`]),
    ...open.map((what) => `# first ${what}`),
    `nightshift register ${model} ${path}${file === undefined && horizon !== undefined ? ' --dataset ID' : ''}`,
    `nightshift run ${model} --as-of ${asOf} --version 1`,
  ]
}

function shownFrom(root: string, path: string): string {
  const within = relative(root, path)
  return within.startsWith('..') ? path : within
}

/** By its label, else by its file. */
export function modelName({ model }: { model: string | undefined }, label: string | undefined): string {
  if (label !== undefined) return label
  const stem = model === undefined ? '' : plainName(basename(model, extname(model)))
  return stem === '' ? 'first_model' : stem
}
