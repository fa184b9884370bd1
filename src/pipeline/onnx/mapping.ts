import { nearestName } from '../../project/files/nearest.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { OnnxMapping, ScoreColumn } from '../../project/project.ts'
import type { Column } from '../engine/facts.ts'
import { ELEMENTS, type Element, isElement, misfill, misfit } from './element.ts'
import type { ModelFacts } from './inspect.ts'
import type { ModelValue } from './model-value.ts'
import { type PlannedOutput, planOutput, type Report } from './score-output.ts'
import { signature } from './signature.ts'
import type { Vocabulary } from './vocabulary.ts'

/** How a version's rows are fed and its scores are read: decided once, at registration, and kept with the version. */
export interface MappingPlan {
  inputs: PlannedInput[]
  output: PlannedOutput
  /** Rows of every call where the file fixes its first dimension, else null. */
  batch: number | null
  /** The file is rewritten when it is opened: its outputs come as maps. */
  zipMap: boolean
  /**
   * Values that the model knows. Undefined for versions of earlier builds, and where they are very many: the file has
   * them.
   */
  vocabularies?: Vocabulary[]
  /** Warnings at registration. */
  warnings: string[]
}

export interface PlannedInput {
  /** Name of the model's input. */
  name: string
  element: Element
  /** `matrix` is [rows, columns], `column` is [rows, 1], `vector` is [rows]. */
  shape: 'matrix' | 'column' | 'vector'
  columns: PlannedColumn[]
}

export interface PlannedColumn extends Column {
  /** What replaces null. Null here: NaN in a float tensor, a held run in any other. */
  fill: string | number | boolean | null
}

export interface MappingRequest {
  /** The view's columns that the model takes, in the model's declared order. */
  inputs: Column[]
  onnx: OnnxMapping
  score: ScoreColumn
  fill: Record<string, string | number | boolean>
}

/**
 * Decides how columns go into the model and which value comes out as the score. Throws a ConfigurationError that
 * lists everything that does not fit, each with both sides and what to write.
 */
export function planMapping(
  facts: Pick<ModelFacts, 'inputs' | 'outputs' | 'zipMap' | 'vocabularies'>,
  request: MappingRequest,
): MappingPlan {
  const problems: string[] = []
  const warnings: string[] = []
  const report = { problems, warnings }
  checkNames(facts, request, report)
  for (const value of facts.inputs) checkType(value, problems)
  const inputs = problems.length > 0 ? [] : planInputs(facts.inputs, request, report)
  for (const input of inputs)
    for (const column of input.columns) checkColumn(column, input, problems, knownOf(facts, input, column))
  const batch = planBatch(facts.inputs, report)
  const output = planOutput(facts.outputs, request.onnx, report)
  if (problems.length > 0 || output === undefined) {
    throw new ConfigurationError(
      `the ONNX file and the model's columns do not fit:\n${problems.map((each) => `  - ${each}`).join('\n')}`,
    )
  }
  warnUnbounded(output, request.score, report)
  const kept = isSmall(facts.vocabularies) ? { vocabularies: facts.vocabularies } : {}
  return { inputs, output, batch, zipMap: facts.zipMap, ...kept, warnings }
}

/** Of more values than this the ledger keeps none: they are read from the file when a night is scored. */
const MOST_VALUES = 5000

function isSmall(vocabularies: Vocabulary[]): boolean {
  return vocabularies.reduce((sum, { values }) => sum + values.length, 0) <= MOST_VALUES
}

function knownOf(
  { vocabularies }: Pick<ModelFacts, 'vocabularies'>,
  input: PlannedInput,
  column: PlannedColumn,
) {
  const index = input.columns.indexOf(column)
  return vocabularies.find((each) => each.input === input.name && each.index === index)?.values
}

function planInputs(values: ModelValue[], request: MappingRequest, report: Report): PlannedInput[] {
  const [only] = values
  if (only === undefined) {
    report.problems.push('the model has no inputs: its output is the same for every row')
    return []
  }
  const named = request.inputs.some(({ name }) => name === only.name) || only.name in request.onnx.inputs
  if (values.length === 1 && !(named && width(only) === 1)) return planMatrix(only, request, report)
  return planColumns(values, request, report)
}

/** One input takes all columns, in their declared order. */
function planMatrix(value: ModelValue, { inputs, fill }: MappingRequest, report: Report): PlannedInput[] {
  const expected = width(value)
  const rank = value.shape?.length
  if (rank !== undefined && rank !== 1 && rank !== 2) {
    report.problems.push(
      `input ${signature(value)} has ${rank} dimensions, expected [rows, columns] or [rows]`,
    )
    return []
  }
  if (expected === undefined) {
    report.warnings.push(
      `input ${signature(value)} does not declare its number of columns: it gets ${inputs.length}`,
    )
  } else if (expected !== inputs.length) {
    const problem = `input ${signature(value)} expects ${count(expected)}, the model's inputs give ${inputs.length}: ${list(inputs)}`
    report.problems.push(
      `${problem}. Name ${expected === 1 ? 'the one' : `the ${expected}`} it was trained on, in that order, under \`inputs:\` in model.yaml`,
    )
    // Of which columns the types would have to fit is open.
    return []
  }
  if (!isElement(value.type)) return []
  const columns = inputs.map((column) => planned(column, fill))
  return [{ name: value.name, element: value.type, shape: rank === 1 ? 'vector' : 'matrix', columns }]
}

/** Every input takes the column of its name. */
function planColumns(values: ModelValue[], request: MappingRequest, report: Report): PlannedInput[] {
  const { inputs: columns, onnx, fill } = request
  const wide = values.filter((value) => (value.shape?.length ?? 0) > 2 || (width(value) ?? 1) !== 1)
  if (wide.length > 0) {
    report.problems.push(
      `the model has ${values.length} inputs, and ${wide.map(signature).join(', ')} ${wide.length === 1 ? 'takes' : 'take'} several columns: ` +
        'expected one input for all columns, or one input [rows, 1] per column. Export it in one of these shapes',
    )
    return []
  }
  const taken = new Set<string>()
  const missing: ModelValue[] = []
  const planes = values.flatMap((value) => {
    const source = onnx.inputs[value.name] ?? value.name
    const column = columns.find(({ name }) => name === source)
    if (column === undefined) missing.push(value)
    if (column === undefined || !isElement(value.type)) return []
    taken.add(column.name)
    const shape: PlannedInput['shape'] = value.shape?.length === 1 ? 'vector' : 'column'
    return [{ name: value.name, element: value.type, shape, columns: [planned(column, fill)] }]
  })
  const extra = columns.filter(({ name }) => !taken.has(name))
  if (missing.length > 0) {
    const names = missing.map(({ name }) =>
      didYouMean(
        name,
        extra.map((column) => column.name),
      ),
    )
    report.problems.push(
      `no column for the model's ${names.length === 1 ? 'input' : 'inputs'} ${names.join(', ')}; ` +
        `${extra.length > 0 ? `columns that go nowhere: ${list(extra)}` : `the columns are: ${list(columns)}`}. ` +
        `Where names differ, write in model.yaml: onnx: { inputs: { ${quote(missing[0]?.name ?? '')}: <column> } }`,
    )
  } else if (extra.length > 0) {
    report.warnings.push(
      `${extra.length === 1 ? 'column' : 'columns'} ${list(extra)} of the view ${extra.length === 1 ? 'is' : 'are'} not used by any input of the model`,
    )
  }
  return planes
}

function planned({ name, type }: Column, fill: MappingRequest['fill']): PlannedColumn {
  return { name, type, fill: fill[name] ?? null }
}

function checkNames(
  facts: Pick<ModelFacts, 'inputs'>,
  { onnx, inputs }: MappingRequest,
  { problems }: Report,
): void {
  const names = facts.inputs.map(({ name }) => name)
  const columns = inputs.map(({ name }) => name)
  for (const [input, column] of Object.entries(onnx.inputs)) {
    if (!names.includes(input)) {
      problems.push(
        `onnx.inputs: the model has no input ${didYouMean(input, names)}; it has: ${names.join(', ')}`,
      )
    } else if (!columns.includes(column)) {
      problems.push(
        `onnx.inputs.${input}: no column ${didYouMean(column, columns)}; there are: ${columns.join(', ')}`,
      )
    }
  }
}

function checkType(value: ModelValue, problems: string[]): void {
  if (isElement(value.type)) return
  problems.push(
    `input ${signature(value)}: cannot feed a tensor of type ${value.type}; legal types: ${ELEMENTS.join(', ')}. Export the model with one of these`,
  )
}

function checkColumn(
  column: PlannedColumn,
  { name, element }: PlannedInput,
  problems: string[],
  known?: (string | number)[],
): void {
  const misfitting = misfit(column, element, known)
  if (misfitting !== undefined) problems.push(`input ${name} (${element}): ${misfitting}`)
  if (column.fill === null) return
  const misfilling = misfill(column.fill, element)
  if (misfilling !== undefined)
    problems.push(`fill of column ${column.name} for input ${name} (${element}): ${misfilling}`)
}

function planBatch(values: ModelValue[], { problems, warnings }: Report): number | null {
  const sizes = new Set(values.map(({ shape }) => shape?.[0]).filter((size) => typeof size === 'number'))
  const [size] = sizes
  if (size === undefined) return null
  if (sizes.size > 1) {
    problems.push(`the inputs expect different numbers of rows: ${values.map(signature).join(', ')}`)
  }
  warnings.push(
    `the file fixes the number of rows of a call at ${size}: scoring goes ${size} by ${size}, which is slow. ` +
      'Export it with a free first dimension',
  )
  return size
}

function warnUnbounded(
  { class: chosen }: PlannedOutput,
  { min, max }: ScoreColumn,
  { warnings }: Report,
): void {
  if (chosen === null || (min !== undefined && max !== undefined)) return
  warnings.push(
    'the score is the probability of a class, but model.yaml does not limit it: write score: { min: 0, max: 1 }',
  )
}

/** Columns that an input wants; undefined where the file leaves it open. */
function width({ shape }: ModelValue): number | undefined {
  if (shape === null) return undefined
  if (shape.length < 2) return 1
  const size = shape[1]
  return typeof size === 'number' ? size : undefined
}

function count(columns: number): string {
  return columns === 1 ? '1 column' : `${columns} columns`
}

function list(columns: Column[]): string {
  return columns.map(({ name }) => name).join(', ') || 'none'
}

function didYouMean(name: string, names: string[]): string {
  const near = nearestName(name, names)
  return near === undefined ? name : `${name} (did you mean ${near}?)`
}

/** A name as a key in YAML's flow style. */
function quote(name: string): string {
  return /^[A-Za-z_][\w.-]*$/.test(name) ? name : JSON.stringify(name)
}
