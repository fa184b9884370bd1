import { nearestName } from '../../project/files/nearest.ts'
import type { OnnxMapping } from '../../project/project.ts'
import { classAsWritten, findClass, labelTitle, listClasses, plainClass, quoted } from './choose-class.ts'
import type { ModelOutput } from './inspect.ts'
import { signature } from './signature.ts'

/** Which of the model's values is the score. */
export interface PlannedOutput extends ModelOutput {
  /** Index of the column [rows, classes]; null where the output has one value a row. */
  class: number | null
  /** The label of that class, where the file tells it. */
  label: string | number | null
  /** Who chose the class. Not known of versions of builds before 2026-11-28, nor where there is one value a row. */
  choice?: 'declared' | 'inferred'
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
  given: ModelOutput,
  declared: number | undefined,
  wanted: OnnxMapping['class'],
  { problems }: Report,
): PlannedOutput | undefined {
  const columns = declared ?? given.classes?.length
  // Labels of another number of columns are not this output's.
  const output = given.classes?.length === columns ? given : { ...given, classes: null }
  const choose = (index: number | null, choice?: PlannedOutput['choice']): PlannedOutput => ({
    ...output,
    class: index,
    label: index === null ? null : (output.classes?.[index] ?? null),
    ...(choice === undefined ? {} : { choice }),
  })
  if (columns === 1) {
    if (wanted === undefined || wanted === 0) return choose(null)
    problems.push(
      `onnx.class: output ${signature(output)} has one value a row, got: ${wanted}. Leave \`class\` out`,
    )
    return undefined
  }
  if (wanted !== undefined) {
    const found = findClass(wanted, output.classes, columns)
    if ('index' in found) return choose(found.index, 'declared')
    problems.push(`onnx.class: output ${signature(output)}: ${found.problem}`)
    return undefined
  }
  const plain = plainClass(output.classes)
  if (plain !== undefined) return choose(plain, 'inferred')
  problems.push(doubt(output, columns))
  return undefined
}

/** So many classes are offered with their lines; of more, one is enough to see how it is written. */
const OFFERED = 4

function doubt(output: ModelOutput, columns: number | undefined): string {
  const { name, classes } = output
  if (columns === undefined) {
    return `output ${signature(output)} does not say how many values a row it gives: write in model.yaml ${line(name, '1')}, or class: 0 for the only one`
  }
  const lines = Array.from({ length: columns }, (_, index) => line(name, classAsWritten(classes, index)))
  const offered = columns <= OFFERED ? lines.join(' or ') : `${lines.at(-1)}, say`
  return classes === null
    ? `output ${signature(output)} has ${columns} classes, and the file does not say which is which: write in model.yaml the index of the one whose probability is the score: ${offered}`
    : `output ${signature(output)} has ${columns} classes: ${listClasses(classes, columns)}. These names do not say which is the score: write in model.yaml the one whose probability it is: ${offered}`
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

function line(output: string, chosen: string | undefined): string {
  const name = /^[A-Za-z_]\w*$/.test(output) ? output : JSON.stringify(output)
  return `onnx: { output: ${name}${chosen === undefined ? '' : `, class: ${chosen}`} }`
}

/** What the score is, for people: `probabilities, class Existing`. */
export function scoreTitle({ name, class: index, label }: Pick<PlannedOutput, 'name' | 'class' | 'label'>) {
  if (index === null) return name
  return `${name}, class ${label === null ? `at index ${index}` : typeof label === 'string' ? labelTitle(label) : label}`
}

/**
 * Why the class of a version's score is uncertain; undefined if it is certain. Builds before 2026-11-28 always took
 * the second of two classes, and did not record whether model.yaml named it.
 */
export function classDoubt(output: PlannedOutput, { class: declared }: Pick<OnnxMapping, 'class'>) {
  const { class: index, classes, choice } = output
  if (index === null) return undefined
  const columns = output.shape?.[1]
  const found =
    declared === undefined
      ? undefined
      : findClass(declared, classes, typeof columns === 'number' ? columns : undefined)
  const title = scoreTitle(output)
  if (found !== undefined) {
    if ('index' in found && found.index === index) return undefined
    const names = declared === undefined ? '' : typeof declared === 'string' ? quoted(declared) : declared
    return `its score is ${title}, and model.yaml names class ${names} now: register the file again, or fix onnx.class`
  }
  if (choice !== undefined || plainClass(classes) === index) return undefined
  const choices =
    classes === null
      ? 'the file does not name its classes'
      : `its classes are ${listClasses(classes, undefined)}`
  return (
    `its score is ${title}, which was chosen by default (${choices}). If it is correct, write it in ` +
    `model.yaml: onnx: { class: ${classAsWritten(classes, index)} }; if not, write the other class and register the file again`
  )
}
