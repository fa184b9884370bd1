import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Pair } from 'yaml'
import type { Problem } from './problem.ts'
import { readProjectFile, type Unread } from './project-file.ts'
import { describe } from './value-text.ts'
import { parseYaml } from './yaml-syntax.ts'

export interface Place {
  line: number | undefined
  column: number | undefined
}

/** A YAML file of the project as plain data, with the position of each value. */
export interface YamlFile {
  /** Relative to the project's root. */
  file: string
  /** Undefined if the file cannot be read or its syntax is invalid: `problems` has the reason. */
  data: Record<string, unknown> | undefined
  problems: Problem[]
  /**
   * The position of the value at a path, or of its key. A missing value gets the position of its nearest existing
   * parent.
   */
  place(path: readonly PropertyKey[], what?: 'key' | 'value'): Place
}

/** Reads one file of a project. */
export function readYaml(root: string, file: string, example: string): YamlFile {
  return parseFile(file, readProjectFile(root, file), example)
}

/**
 * Parses one file, in time linear in its length. `text` is what reading it gave, `example` is the first line of such a file, for the message about a
 * missing map.
 */
export function parseFile(file: string, text: string | Unread, example: string): YamlFile {
  const broken = (problems: Problem[]): YamlFile => ({
    file,
    data: undefined,
    problems,
    place: () => ({ line: 1, column: 1 }),
  })
  if (typeof text !== 'string') {
    return broken([{ severity: 'error', file, line: undefined, column: undefined, message: text.fault }])
  }
  const counter = new LineCounter()
  const { document, faults } = parseYaml(text, counter)
  const at = (offset: number): Place => {
    const { line, col } = counter.linePos(offset)
    return { line, column: col }
  }
  const problems = faults.map(({ offset, message }): Problem => {
    const place = offset === undefined ? { line: 1, column: 1 } : at(offset)
    return { severity: 'error', file, ...place, message }
  })
  if (document === undefined) return broken(problems)

  let data: unknown
  try {
    data = document.toJS()
  } catch (cause) {
    // For example, aliases that expand without end.
    const message = `expected valid YAML, got: ${cause instanceof Error ? cause.message : String(cause)}`
    return broken([...problems, { severity: 'error', file, line: 1, column: 1, message }])
  }
  if (!isRecord(data)) {
    const message = `expected ${file} to be a map of keys that begins with \`${example}\`, got: ${describe(data)}`
    return broken([...problems, { severity: 'error', file, line: 1, column: 1, message }])
  }
  const place = (path: readonly PropertyKey[], what: 'key' | 'value' = 'value') => {
    const offset = offsetOf(document, path, what)
    return offset === undefined ? { line: 1, column: 1 } : at(offset)
  }
  return { file, data, problems, place }
}

function offsetOf(document: Document, path: readonly PropertyKey[], what: 'key' | 'value') {
  let node: unknown = document.contents
  let offset = isNode(node) ? node.range?.[0] : undefined
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      // Of two equal keys, the last one's value is used.
      const pair: Pair | undefined = node.items.findLast(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      )
      if (pair === undefined) return offset
      const key = isNode(pair.key) ? pair.key.range?.[0] : undefined
      const value = isNode(pair.value) ? pair.value.range?.[0] : undefined
      node = pair.value
      const last = depth === path.length - 1
      // A missing key within a map gets the position of the map's own key, where a person looks first.
      offset = last && what === 'value' && !isMap(node) ? (value ?? key) : (key ?? offset)
    } else if (isSeq(node)) {
      node = node.items[Number(step)]
      if (!isNode(node)) return offset
      offset = node.range?.[0] ?? offset
    } else {
      return offset
    }
  }
  return offset
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
