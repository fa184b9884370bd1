import { nearestName } from '../../project/files/nearest.ts'
import type { OnnxMapping } from '../../project/project.ts'
import type { ModelOutput } from './inspect.ts'
import type { PlannedOutput } from './score-output.ts'

/** Label sets whose second is the score without a doubt, in lower case. */
const PLAIN: readonly (readonly [string, string])[] = [
  ['0', '1'],
  ['false', 'true'],
  ['no', 'yes'],
]

/** Index of the class whose probability is the score; undefined where the labels leave a doubt. */
export function plainClass(labels: ModelOutput['classes']): number | undefined {
  if (labels?.length !== 2) return undefined
  const lower = labels.map((label) => String(label).toLowerCase())
  const set = PLAIN.find((pair) => pair.every((label) => lower.includes(label)))
  return set && lower.indexOf(set[1])
}

/**
 * Index of the class that model.yaml names, by its label or by its index. A whole number is either; where it would be
 * two different classes, the label has to be written as a text. `problem` says what is legal.
 */
export function findClass(
  wanted: number | string,
  labels: ModelOutput['classes'],
  columns: number | undefined,
): { index: number } | { problem: string } {
  const known = labels ?? []
  const got = `got: ${typeof wanted === 'string' ? quoted(wanted) : wanted}`
  const byLabel = labelled(known, String(wanted))
  if (byLabel.length > 1) return { problem: `several classes are called ${wanted}: write an index` }
  const [label] = byLabel
  if (typeof wanted === 'string') {
    if (label !== undefined) return { index: label }
    if (labels === null)
      return { problem: `the file names no classes, expected an index ${indexes(columns)}, ${got}` }
    const near = nearestName(wanted, known.map(String))
    return {
      problem: `expected one of the classes ${listClasses(labels, columns)}, ${got}${near === undefined ? '' : ` (did you mean ${near}?)`}`,
    }
  }
  const isIndex = columns === undefined || wanted < columns
  if (isIndex && label !== undefined && label !== wanted) {
    return {
      problem:
        `${wanted} is the index of class ${known[wanted]} and the label of another: ` +
        `write the label as a text, class: ${quoted(String(known[wanted]))} or class: ${quoted(String(wanted))}`,
    }
  }
  if (isIndex) return { index: wanted }
  if (label !== undefined) return { index: label }
  return {
    problem: `expected ${labels === null ? `an index ${indexes(columns)}` : `one of the classes ${listClasses(labels, columns)}, by label or index`}, ${got}`,
  }
}

/** As it is written, else in another letter case. */
function labelled(labels: (string | number)[], wanted: string): number[] {
  const where = (same: (label: string) => boolean) =>
    labels.flatMap((label, index) => (same(String(label)) ? [index] : []))
  const exact = where((label) => label === wanted)
  return exact.length > 0 ? exact : where((label) => label.toLowerCase() === wanted.toLowerCase())
}

/** The value of `class:` that names this class and no other. */
export function classAsWritten(labels: ModelOutput['classes'], index: number): string {
  const label = labels?.[index]
  if (label === undefined) return String(index)
  if (typeof label === 'number') return label === index ? String(label) : quoted(String(label))
  const plain =
    /^[A-Za-z](?:[\w -]*\w)?$/.test(label) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(label)
  return plain ? label : quoted(label)
}

export function listClasses(labels: ModelOutput['classes'], columns: number | undefined): string {
  if (labels === null) return columns === undefined ? 'unknown' : `0 to ${columns - 1}`
  return labels.map((label) => (typeof label === 'string' ? title(label) : label)).join(', ')
}

/** What the score is, for people: `probabilities, class Existing`. */
export function scoreTitle({ name, class: index, label }: Pick<PlannedOutput, 'name' | 'class' | 'label'>) {
  if (index === null) return name
  return `${name}, class ${label === null ? `at index ${index}` : typeof label === 'string' ? title(label) : label}`
}

/**
 * Why nobody can be sure which class a version's score is; undefined where it is sure. Builds before 2026-11-28 took
 * the second of two classes whatever they were called, and did not say of a version whether model.yaml named it.
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
    return `its score is ${title}, and model.yaml names class ${names} now: register the file again, or mend onnx.class`
  }
  if (choice !== undefined || plainClass(classes) === index) return undefined
  const choices =
    classes === null
      ? 'the file does not name its classes'
      : `its classes are ${listClasses(classes, undefined)}`
  return (
    `its score is ${title}, which was taken without anybody saying so (${choices}). If that is right, write it in ` +
    `model.yaml: onnx: { class: ${classAsWritten(classes, index)} }; if not, write the other and register the file again`
  )
}

function indexes(columns: number | undefined): string {
  return columns === undefined ? 'of a column, such as 1' : `from 0 to ${columns - 1}`
}

function title(label: string): string {
  return /^\S(.*\S)?$/.test(label) ? label : quoted(label)
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
