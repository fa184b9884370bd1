import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
} from 'yaml'
import type { Problem } from './problem.ts'

export interface Place {
  line: number | undefined
  column: number | undefined
}

/** A YAML file of the project as plain data, which still knows where each value stands. */
export interface YamlFile {
  /** Relative to the project's root. */
  file: string
  /** Undefined where the file cannot be read or its syntax is broken: `problems` says why. */
  data: Record<string, unknown> | undefined
  problems: Problem[]
  /** Where the value at a path stands, or its key; what is not there is placed at the nearest parent that is. */
  place(path: readonly PropertyKey[], what?: 'key' | 'value'): Place
}

/** Reads one file. `example` is the first line that such a file has, for the message when there is none. */
export function readYaml(root: string, file: string, example: string): YamlFile {
  const text = readText(join(root, file))
  if (typeof text !== 'string') {
    return broken(file, [
      { severity: 'error', file, line: undefined, column: undefined, message: text.fault },
    ])
  }
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false })
  const at = (offset: number): Place => {
    const { line, col } = counter.linePos(offset)
    return { line, column: col }
  }
  const problems: Problem[] = []
  const told = new Set<number | undefined>()
  for (const fault of [...document.errors, ...document.warnings]) {
    const place = at(fault.pos[0])
    // One slip makes a row of syntax errors behind it: the first of a line is the one to mend.
    if (told.has(place.line)) continue
    told.add(place.line)
    problems.push({
      severity: 'error',
      file,
      ...place,
      message: syntaxMessage(fault.code, fault.message, text, fault.pos),
    })
  }
  // A key given twice leaves the rest readable; after other errors the data would be a guess.
  const readable =
    document.errors.every(({ code }) => code === 'DUPLICATE_KEY') && document.warnings.length === 0
  if (!readable) return broken(file, problems)

  const dangling = danglingAlias(document)
  if (dangling !== undefined) {
    const message = `*${dangling.name} names nothing: no value above begins with &${dangling.name}; quote it if it is a text`
    return broken(file, [...problems, { severity: 'error', file, ...at(dangling.offset), message }])
  }
  let data: unknown
  try {
    data = document.toJS()
  } catch (cause) {
    // Aliases that grow without end, say.
    const message = `expected YAML that can be read, got: ${cause instanceof Error ? cause.message : String(cause)}`
    return broken(file, [...problems, { severity: 'error', file, line: 1, column: 1, message }])
  }
  if (!isRecord(data)) {
    const message = `expected ${file} to be a map of keys that begins with \`${example}\`, got: ${describe(data)}`
    return broken(file, [...problems, { severity: 'error', file, line: 1, column: 1, message }])
  }
  const place = (path: readonly PropertyKey[], what: 'key' | 'value' = 'value') => {
    const offset = offsetOf(document, path, what)
    return offset === undefined ? { line: 1, column: 1 } : at(offset)
  }
  return { file, data, problems, place }
}

/** Reads a text file as UTF-8, without its byte order mark; or says in words why it cannot. */
export function readText(path: string): string | { fault: string; missing: boolean } {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    const why =
      { ENOENT: 'is missing', EISDIR: 'is a folder', EACCES: 'may not be read by this user' }[code] ??
      `cannot be read (${code})`
    return { fault: `expected a file, but it ${why}`, missing: code === 'ENOENT' }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { fault: 'expected a text file in UTF-8, got other bytes: save it as UTF-8', missing: false }
  }
}

function broken(file: string, problems: Problem[]): YamlFile {
  return { file, data: undefined, problems, place: () => ({ line: 1, column: 1 }) }
}

function danglingAlias(
  document: ReturnType<typeof parseDocument>,
): { name: string; offset: number } | undefined {
  let found: { name: string; offset: number } | undefined
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return undefined
      found = { name: alias.source, offset: alias.range?.[0] ?? 0 }
      return visit.BREAK
    },
  })
  return found
}

function offsetOf(
  document: ReturnType<typeof parseDocument>,
  path: readonly PropertyKey[],
  what: 'key' | 'value',
) {
  let node: unknown = document.contents
  let offset = isNode(node) ? node.range?.[0] : undefined
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      // The last of two equal keys is the one whose value counts.
      const pair: Pair | undefined = node.items.findLast(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      )
      if (pair === undefined) return offset
      const key = isNode(pair.key) ? pair.key.range?.[0] : undefined
      const value = isNode(pair.value) ? pair.value.range?.[0] : undefined
      node = pair.value
      const last = depth === path.length - 1
      // A missing key within a map is placed at the map's own key: a person looks there.
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

function syntaxMessage(code: string, message: string, text: string, [from, to]: [number, number]): string {
  const got = text.slice(from, to).split('\n')[0] ?? ''
  const plain = message.replace(/; please use YAML.*$/, '')
  switch (code) {
    case 'DUPLICATE_KEY':
      return `${keyAt(text, from)} is given twice: the second would silently win; remove one`
    case 'TAB_AS_INDENT':
      return 'YAML is indented with spaces, got: a tab'
    case 'MULTIPLE_DOCS':
      return 'expected one document, got: a second one after `---`; remove that line or move the rest to a file of its own'
    case 'BAD_ALIAS':
    case 'BAD_SCALAR_START':
      return `a value that begins with \`${got.slice(0, 1)}\` has to be quoted: "${lineFrom(text, from)}"`
    case 'BAD_INDENT':
    case 'MISSING_CHAR':
      return unclosed(plain, lineFrom(text, from) || 'the end of the file')
    case 'BLOCK_AS_IMPLICIT_KEY':
      if (!/:\s/.test(lineFrom(text, from))) {
        return `${lineFrom(text, from)} is a value already, but the line below is indented as if it belonged to it: align it with its neighbours`
      }
      return `a value with \`: \` in it has to be quoted, or its keys go on lines of their own, got: ${lineFrom(text, from)}`
    case 'TAG_RESOLVE_FAILED':
      return `tags are not supported, got: ${got}; remove it`
    default:
      return `expected YAML, got: ${lineFrom(text, from) || 'the end of the file'} (${plain})`
  }
}

/** The commonest of the library's words, in ours. */
function unclosed(message: string, before: string): string {
  const bracket = /end with a ([\]}])/.exec(message)?.[1]
  if (bracket !== undefined) {
    const what = bracket === ']' ? 'list that begins with `[`' : 'map that begins with `{`'
    return `a ${what} is not closed: \`${bracket}\` is missing before ${before}`
  }
  const quote = /closing (["'])quote/.exec(message)?.[1]
  if (quote !== undefined)
    return `a text that begins with ${quote} is not closed: ${quote} is missing before ${before}`
  return `expected YAML, got: ${before} (${message})`
}

function lineFrom(text: string, from: number): string {
  return (text.slice(from).split('\n')[0] ?? '').replace(/\s+#.*$/, '').trim()
}

function keyAt(text: string, from: number): string {
  return lineFrom(text, from).replace(/:.*$/, '')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value as a message shows it. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list (${clipped(value)})`
  if (typeof value === 'object')
    return Object.keys(value).length === 0 ? 'an empty map' : `a map (${clipped(value)})`
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function clipped(value: object): string {
  const text = JSON.stringify(value)
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}
