import { type Document, isAlias, isMap, isScalar, Lexer, type LineCounter, parseDocument, visit } from 'yaml'
import { MOST_PROBLEMS } from './problem.ts'

/** Tokens as the parser counts them, including spaces: about 40,000 lines. The cost of parsing grows with them. */
const MOST_TOKENS = 300_000
const DEEPEST = 100
const MOST_ALIASES = 100

/** A YAML error. Offsets count characters from the beginning of the text. */
export interface SyntaxFault {
  offset: number | undefined
  message: string
}

/** Parses a text as YAML. Returns no document if it cannot be read or its values would be ambiguous. */
export function parseYaml(
  text: string,
  counter: LineCounter,
): { document: Document | undefined; faults: SyntaxFault[] } {
  const none = (...faults: SyntaxFault[]) => ({ document: undefined, faults })
  const large = tooLarge(text)
  if (large !== undefined) return none({ offset: undefined, message: large })
  try {
    // The library compares every pair of keys for this; `structureFaults` needs one pass.
    const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, uniqueKeys: false })
    const broken = syntaxFaults(text, document, counter)
    if (broken.length > 0) return none(...broken)
    const { faults, readable } = structureFaults(text, document)
    return readable ? { document, faults } : none(...faults)
  } catch (error) {
    if (error instanceof RangeError) return none({ offset: undefined, message: TOO_DEEP })
    throw error
  }
}

const TOO_DEEP = `expected maps and lists nested at most ${DEEPEST} deep, got: more`

/** Checks the limits before a document is built. */
function tooLarge(text: string): string | undefined {
  let tokens = 0
  let depth = 0
  for (const token of new Lexer().lex(text)) {
    tokens++
    if (token === '[' || token === '{') depth++
    else if ((token === ']' || token === '}') && depth > 0) depth--
    if (depth > DEEPEST) return TOO_DEEP
    if (tokens > MOST_TOKENS)
      return `expected YAML of at most ${MOST_TOKENS} tokens, got: more; it is not read`
  }
  return undefined
}

function syntaxFaults(text: string, { errors, warnings }: Document, counter: LineCounter): SyntaxFault[] {
  const faults: SyntaxFault[] = []
  const reported = new Set<number>()
  for (const { code, message, pos } of [...errors, ...warnings]) {
    // One mistake causes several syntax errors after it. Only the first of a line is reported.
    const { line } = counter.linePos(pos[0])
    if (reported.has(line)) continue
    reported.add(line)
    faults.push({ offset: pos[0], message: syntaxMessage(code, message, text, pos) })
    if (faults.length > MOST_PROBLEMS) break
  }
  return faults
}

/** Finds duplicate keys, which leave the rest readable, and faults that do not. */
function structureFaults(text: string, document: Document): { faults: SyntaxFault[]; readable: boolean } {
  const faults: SyntaxFault[] = []
  const anchors = new Set<string>()
  let aliases = 0
  let readable = true
  const unreadable = (offset: number | undefined, message: string) => {
    faults.push({ offset, message })
    readable = false
    return visit.BREAK
  }
  visit(document, {
    Node(_, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor)
        return undefined
      }
      aliases++
      const offset = node.range?.[0]
      if (aliases > MOST_ALIASES)
        return unreadable(offset, `expected at most ${MOST_ALIASES} aliases (*name) in a file, got: more`)
      if (anchors.has(node.source)) return undefined
      return unreadable(
        offset,
        `*${node.source} refers to nothing: no value above begins with &${node.source}; quote it if it is a text`,
      )
    },
    Map(_, map) {
      if (map.anchor !== undefined) anchors.add(map.anchor)
      const keys = new Set<string>()
      for (const { key } of map.items) {
        if (isMap(key) || !isScalar(key)) continue
        const offset = key.range?.[0] ?? 0
        const name = String(key.value)
        // JavaScript objects already have this key, so its value would be dropped silently.
        if (name === '__proto__')
          return unreadable(offset, 'expected a key other than __proto__, got: __proto__')
        if (keys.has(name) && faults.length <= MOST_PROBLEMS)
          faults.push({ offset, message: syntaxMessage('DUPLICATE_KEY', '', text, [offset, offset]) })
        keys.add(name)
      }
      return undefined
    },
    Pair(_, { key }) {
      if (key === null || isScalar(key) || isAlias(key)) return undefined
      const offset = isMap(key) ? key.range?.[0] : undefined
      return unreadable(offset, 'expected a key to be a text, got: a map or a list')
    },
  })
  return { faults, readable }
}

function syntaxMessage(code: string, message: string, text: string, [from, to]: [number, number]): string {
  const got = text.slice(from, Math.min(to, from + 200)).split('\n', 1)[0] ?? ''
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
        return `${lineFrom(text, from)} is a complete value, but the line below is indented as if it were part of it: align that line with its neighbours`
      }
      return `a value with \`: \` in it has to be quoted, or its keys put on separate lines, got: ${lineFrom(text, from)}`
    case 'TAG_RESOLVE_FAILED':
      return `tags are not supported, got: ${got}; remove it`
    default:
      return `expected YAML, got: ${lineFrom(text, from) || 'the end of the file'} (${plain})`
  }
}

/** Rewords the library's most common messages. */
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
  const end = text.indexOf('\n', from)
  const line = text.slice(from, Math.min(end < 0 ? text.length : end, from + 200))
  const comment = line.search(/\s#/)
  return (comment < 0 ? line : line.slice(0, comment)).trim()
}

function keyAt(text: string, from: number): string {
  return lineFrom(text, from).replace(/:.*$/, '')
}
