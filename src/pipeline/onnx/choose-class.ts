import { nearestName } from '../../project/files/nearest.ts'
import type { ModelOutput } from './inspect.ts'

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
      return { problem: `the file does not name its classes: expected an index ${indexes(columns)}, ${got}` }
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
  return labels.map((label) => (typeof label === 'string' ? labelTitle(label) : label)).join(', ')
}

function indexes(columns: number | undefined): string {
  return columns === undefined ? 'of a column, such as 1' : `from 0 to ${columns - 1}`
}

export function labelTitle(label: string): string {
  return /^\S(.*\S)?$/.test(label) ? label : quoted(label)
}

export function quoted(text: string): string {
  return JSON.stringify(text)
}
