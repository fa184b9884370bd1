import { count } from './numbers.ts'
/**
 * Text from outside (engines' messages, names, paths) on its way into a mail or a jsonb column: no NUL, which
 * PostgreSQL refuses; no control or bidirectional override, which make a line read as something else; no half of a
 * surrogate pair; no password of a URL. Line breaks and tabs stay.
 */
export function clean(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/\p{Cc}\[[0-9;]*m/gu, '')
    .replace(/(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu, '')
    .replace(/\p{Cs}/gu, '\uFFFD')
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]*:[^\s/]*@/gi, '$1***@')
}

/** `clean`, cut to about `limit` characters: keeps the beginning and the end, with the length of what is left out between them. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return clean(text)
  const head = Math.ceil(limit * 0.75)
  const tail = limit - head
  const left = count(text.length - limit)
  return `${clean(text.slice(0, head)).trimEnd()}\n[... ${left} characters left out ...]\n${clean(text.slice(-tail)).trimStart()}`
}

/** `clean` on one line, at most `limit` characters, cut behind a whole word and marked there. Safe in a header. */
export function oneLine(text: string, limit: number): string {
  const line = clean(text.slice(0, limit * 4))
    .replace(/[\s\u2028\u2029]+/gu, ' ')
    .trim()
  if (line.length <= limit) return line
  return `${clean(wholeWords(line, limit - 3)).trimEnd()}...`
}

/** The beginning of a text up to the last word that fits; a word that is longer than half of it is cut. */
function wholeWords(text: string, limit: number): string {
  const head = text.slice(0, limit)
  const end = text[limit] === ' ' ? limit : head.lastIndexOf(' ')
  return end < limit / 2 ? head : head.slice(0, end).replace(/[\s,;:(]+$/, '')
}

/**
 * A sentence of clauses (`a; b; c`) that puts what matters first, on one line of at most `limit` characters: the
 * clauses that have room, whole and in their order. `oneLine` where the first has none.
 */
export function wholeClauses(text: string, limit: number): string {
  const line = oneLine(text, Number.MAX_SAFE_INTEGER)
  const [first = '', ...others] = line.split('; ')
  if (first.length > limit) return oneLine(first, limit)
  return others.reduce((text, clause) => {
    const more = `${text}; ${clause}`
    return more.length <= limit ? more : text
  }, first)
}

const MOST_KEYS = 20

/** A value of unknown origin as JSON that is small: strings cut, lists and depth bounded. */
export function bounded(value: unknown, depth = 4): unknown {
  if (typeof value === 'string') return cut(value, 1000)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean' || value === null || value === undefined) return value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no time' : value.toISOString()
  if (typeof value !== 'object') return String(value)
  if (depth === 0) return Array.isArray(value) ? `${value.length} more` : 'more'
  if (Array.isArray(value)) {
    const kept = value.slice(0, MOST_KEYS).map((item) => bounded(item, depth - 1))
    return value.length > MOST_KEYS ? [...kept, `${value.length - MOST_KEYS} more`] : kept
  }
  return boundedRecord(value, depth)
}

/** The same for an object. */
export function boundedRecord(value: object, depth = 4): Record<string, unknown> {
  const entries = Object.entries(value).slice(0, MOST_KEYS)
  return Object.fromEntries(entries.map(([key, item]) => [oneLine(key, 100), bounded(item, depth - 1)]))
}
