import { nearestName } from '../../project/nearest.ts'
import type { OnnxMapping } from '../../project/project.ts'
import type { ModelOutput } from './inspect.ts'
import { signature } from './signature.ts'

/** Which of the model's values is the score. */
export interface PlannedOutput extends ModelOutput {
  /** Index of the column [rows, classes]; null where the output has one value a row. */
  class: number | null
  /** The label of that class, where the file tells it. */
  label: string | number | null
}

/** What does not fit, and what is worth a word. */
export interface Report {
  problems: string[]
  warnings: string[]
}

/**
 * Finds the score: the output and class that model.yaml names, else the only one that can be meant. Where there is
 * doubt, a problem lists the candidates with the line to write. Undefined goes with a problem.
 */
export function planOutput(
  outputs: ModelOutput[],
  onnx: Pick<OnnxMapping, 'output' | 'class'>,
  report: Report,
): PlannedOutput | undefined {
  const output = onnx.output === undefined ? infer(outputs, report) : find(outputs, onnx.output, report)
  if (output === undefined) return undefined
  const columns = output.shape === null ? null : output.shape.length === 1 ? 1 : output.shape[1]
  if ((output.shape?.length ?? 1) > 2) {
    report.problems.push(
      `output ${signature(output)} has more than two dimensions, expected [n], [n, 1] or [n, classes]`,
    )
    return undefined
  }
  return chooseClass(output, typeof columns === 'number' ? columns : undefined, onnx.class, report)
}

function chooseClass(
  output: ModelOutput,
  columns: number | undefined,
  wanted: number | undefined,
  { problems }: Report,
): PlannedOutput | undefined {
  const choose = (index: number | null): PlannedOutput => ({
    ...output,
    class: index,
    label: index === null ? null : (output.classes?.[index] ?? null),
  })
  if (columns === 1) {
    if (wanted === undefined || wanted === 0) return choose(null)
    problems.push(
      `onnx.class: output ${signature(output)} has one value a row, got: ${wanted}. Leave \`class\` out`,
    )
    return undefined
  }
  if (wanted !== undefined) {
    if (Number.isInteger(wanted) && wanted >= 0 && wanted < (columns ?? Number.POSITIVE_INFINITY))
      return choose(wanted)
    problems.push(
      `onnx.class: output ${signature(output)} has the classes ${classes(output, columns)}, expected an index of these, got: ${wanted}`,
    )
    return undefined
  }
  if (columns === 2) return choose(1)
  problems.push(
    columns === undefined
      ? `output ${signature(output)} does not say how many values a row it gives: write in model.yaml ${line(output.name, 1)}, or class: 0 for the only one`
      : `output ${signature(output)} has ${columns} classes: ${classes(output, columns)}. Write the one whose probability is the score: ${line(output.name, columns - 1)}`,
  )
  return undefined
}

function find(outputs: ModelOutput[], name: string, { problems }: Report): ModelOutput | undefined {
  const output = outputs.find((each) => each.name === name)
  if (output !== undefined && isFloat(output)) return output
  const near =
    output === undefined
      ? nearestName(
          name,
          outputs.map((each) => each.name),
        )
      : undefined
  const candidates = outputs.filter(isFloat)
  problems.push(
    output === undefined
      ? `onnx.output: the model has no output ${name}${near === undefined ? '' : ` (did you mean ${near}?)`}; it has: ${outputs.map(signature).join(', ')}`
      : `onnx.output: ${signature(output)} is no score, expected float32 or float64` +
          `${candidates.length > 0 ? `, such as: ${candidates.map(signature).join(', ')}` : ''}`,
  )
  return undefined
}

function infer(outputs: ModelOutput[], { problems }: Report): ModelOutput | undefined {
  const candidates = outputs.filter(isFloat)
  const [first, ...others] = candidates
  if (first === undefined) {
    problems.push(
      `the model gives no score, only: ${outputs.map(signature).join(', ')}. A label alone has no threshold and no drift: ` +
        'export the model with its probabilities (or, for a regression, as float32)',
    )
    return undefined
  }
  if (others.length === 0) return first
  const probable = candidates.filter(({ name }) => /proba/i.test(name))
  if (probable.length === 1) return probable[0]
  problems.push(
    `several outputs could be the score: ${candidates.map(signature).join(', ')}. ` +
      `Write one in model.yaml: ${candidates.map((each) => line(each.name, undefined)).join(' or ')}`,
  )
  return undefined
}

function isFloat({ type }: ModelOutput): boolean {
  return type === 'float32' || type === 'float64'
}

function classes({ classes: labels }: ModelOutput, columns: number | undefined): string {
  // Labels that count from 0 are their own indexes.
  if (labels?.some((label, index) => label !== index)) {
    return labels.map((label, index) => `${index} (${label})`).join(', ')
  }
  return columns === undefined ? 'unknown' : `0 to ${columns - 1}`
}

function line(output: string, index: number | undefined): string {
  const name = /^[A-Za-z_]\w*$/.test(output) ? output : JSON.stringify(output)
  return `onnx: { output: ${name}${index === undefined ? '' : `, class: ${index}`} }`
}
