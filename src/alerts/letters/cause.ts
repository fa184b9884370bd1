import { messageText } from '../../format/message-text.ts'
import { counted, figure, shortFraction } from '../../format/numbers.ts'
import { clean, cut, oneLine } from '../../format/one-line.ts'
import type { Check } from '../../pipeline/engine/facts.ts'
import type { FailureFacts } from '../incidents/incident-facts.ts'
import type { Item, Section } from './letter.ts'
import { causeLine } from './phrases.ts'

/** Evidence keys that are meant for programs or shown elsewhere in the mail. */
const SILENT = new Set([
  'stack',
  'cause',
  'engine',
  'outdated',
  'lost',
  'superseded',
  'run',
  'attempt',
  'task',
  'severity',
])
const MOST_FACTS = 8
/** Heading of evidence with several lines. */
const LINES: Record<string, string> = {
  difference: 'Differences (- registered, + now)',
  in_a_new_view_folder: 'To keep both',
}

/**
 * What the first lines of the mail do not say of the cause: the rest of the message if they cut it, the failed
 * expectations, and the evidence (the missing file, the schema difference, the jump in nulls). Nothing if they say it all.
 */
export function aboutCause(facts: FailureFacts): Section[] {
  const { failure, checks, timezone } = facts
  const message = messageText(failure.message, timezone)
  const rest = unsaid(message, causeLine(facts))
  const items: Item[] = rest === '' ? [] : [{ kind: 'quote', text: cut(rest, 1500) }]
  for (const check of checks.slice(0, 5)) items.push(...checkItems(check, message, timezone))
  if (checks.length > 5)
    items.push({ kind: 'text', text: `${counted(checks.length - 5, 'more expectation')} failed.` })
  const entries = loud(failure.evidence).filter(
    ([key, value]) =>
      value !== null &&
      value !== undefined &&
      // The first line says it.
      !(key === 'deadline' && failure.class === 'deadline') &&
      !(key === 'checks' && checks.length > 0) &&
      !isSaid(value, message, timezone),
  )
  for (const [key, value] of entries.slice(0, MOST_FACTS))
    items.push(...evidence(key, value, { message, timezone }))
  return items.length === 0 ? [] : [{ title: 'About the cause', items }]
}

/** What is left of a message behind its first line, whose breaks are blanks: what follows the dots, or the clauses that had no room. */
function unsaid(message: string, line: string): string {
  if (!line.endsWith('...')) {
    const said = new Set(line.split('; '))
    return oneLine(message, Number.MAX_SAFE_INTEGER)
      .split('; ')
      .filter((clause) => !said.has(clause))
      .join('; ')
  }
  const text = clean(message)
  const head = line.slice(0, -3).replaceAll(/\s/g, '')
  let letters = 0
  for (let end = 0; end < text.length; end++) {
    if (!/\s/.test(text.charAt(end))) letters++
    if (letters < head.length) continue
    const isHead = text.slice(0, end + 1).replaceAll(/\s/g, '') === head
    return isHead ? `...${text.slice(end + 1)}` : text
  }
  return text
}

/** Whether a text has a value, or each value of a list or record, as a word of its own. */
function isSaid(value: unknown, text: string, timezone: string): boolean {
  if (value === null || value === undefined) return true
  if (Array.isArray(value)) return value.every((each) => isSaid(each, text, timezone))
  if (isRecord(value)) return loud(value).every(([, each]) => isSaid(each, text, timezone))
  const words = [String(value), plain(value, timezone)]
  return words.some((word) => hasWord(text, word))
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); word !== '' && at >= 0; at = text.indexOf(word, at + 1))
    if (!/[\w.]/.test(text[at - 1] ?? '') && !/\w/.test(text[at + word.length] ?? '')) return true
  return false
}

/** What a row that failed an expectation begins with. */
export const ROW = 'a row: '

/** The id of a failed expectation is what `show` calls it; its message has its bound and what was found. */
function checkItems(check: Check, said: string, timezone: string): Item[] {
  const { id, kind, observed, bound, samples } = check
  const own = messageText(check.message, timezone)
  // The message of late data has the times of the expectation, in other words.
  const isKnown = said.includes(own) || (kind === 'fresh' && isSaid([observed, bound], said, timezone))
  const item: Item = isKnown
    ? { kind: 'fact', label: 'Expectation', text: id }
    : { kind: 'point', text: `${id}: ${oneLine(own, 300)}` }
  return [item, ...samples.slice(0, 2).map((row): Item => ({ kind: 'point', text: `${ROW}${pairs(row)}` }))]
}

/**
 * A list of records, such as the late sources, becomes one point for each that is not said yet; text with several lines
 * is kept; anything else is one line.
 */
function evidence(
  key: string,
  value: unknown,
  { message, timezone }: { message: string; timezone: string },
): Item[] {
  if (value === '') return []
  if (typeof value === 'string' && value.includes('\n')) {
    return [
      { kind: 'text', text: `${LINES[key] ?? key.replaceAll('_', ' ')}:` },
      { kind: 'quote', text: cut(value, 1500) },
    ]
  }
  if (Array.isArray(value) && value.length > 0 && value.every((item) => isRecord(item))) {
    return value
      .filter((item) => !isSaid(item, message, timezone))
      .slice(0, 5)
      .map((item) => ({ kind: 'point', text: oneLine(record(item, timezone), 300) }))
  }
  return [{ kind: 'fact', label: key.replaceAll('_', ' '), text: oneLine(plain(value, timezone), 300) }]
}

function record(value: Record<string, unknown>, timezone: string): string {
  return loud(value)
    .map(([key, item]) => `${key.replaceAll('_', ' ')} ${plain(item, timezone)}`)
    .join(', ')
}

function loud(value: Record<string, unknown>): [string, unknown][] {
  return Object.entries(value).filter(([key]) => !SILENT.has(key))
}

function plain(value: unknown, timezone: string): string {
  if (value === null || value === undefined) return 'none'
  if (typeof value === 'string') return messageText(value, timezone)
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : figure(value)
  if (Array.isArray(value))
    return value.length === 0 ? 'none' : value.map((item) => plain(item, timezone)).join(', ')
  if (isRecord(value)) return record(value, timezone)
  return String(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function pairs(row: Record<string, string>): string {
  return oneLine(
    Object.entries(row)
      .map(([key, value]) => `${key} ${shortFraction(value)}`)
      .join(', '),
    300,
  )
}
