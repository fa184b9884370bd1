import { kindOf } from '../../failures/incident-kinds.ts'
import { localTimes } from '../../format/clock-time.ts'
import { count, figure, figureBeside } from '../../format/numbers.ts'
import { cut, oneLine } from '../../format/one-line.ts'
import type { Check } from '../../pipeline/engine/facts.ts'
import type { FailureFacts } from '../incidents/incident-facts.ts'
import type { Item } from './letter.ts'

/** Evidence keys that are meant for programs or shown elsewhere in the mail. */
const SILENT = new Set(['stack', 'outdated', 'lost', 'superseded', 'run', 'attempt'])
const MOST_FACTS = 8
/** Heading of evidence with several lines. */
const LINES: Record<string, string> = {
  difference: 'Differences (- registered, + now)',
  in_a_new_view_folder: 'To keep both',
}

/**
 * Probable cause: the class, the message, then the evidence (the missing file, the schema difference, the jump in
 * nulls).
 */
export function causeItems(facts: FailureFacts): Item[] {
  const items: Item[] = [
    { kind: 'text', text: `${kindOf(facts.failure.class).name}: ${kindOf(facts.failure.class).means}` },
    { kind: 'quote', text: cut(localTimes(facts.failure.message, facts.timezone), 1500) },
  ]
  for (const check of facts.checks.slice(0, 5)) items.push(...checkItems(check, facts.failure.message))
  if (facts.checks.length > 5) {
    items.push({ kind: 'text', text: `${facts.checks.length - 5} more expectations failed.` })
  }
  const entries = Object.entries(facts.failure.evidence).filter(
    ([key, value]) =>
      !SILENT.has(key) &&
      value !== null &&
      value !== undefined &&
      !(key === 'checks' && facts.checks.length > 0),
  )
  for (const [key, value] of entries.slice(0, MOST_FACTS)) items.push(...evidence(key, value, facts.timezone))
  return items
}

function checkItems(check: Check, shown: string): Item[] {
  const items: Item[] = []
  const numbers = numbersOf(check)
  if (!shown.startsWith(check.message)) items.push({ kind: 'point', text: oneLine(check.message, 300) })
  items.push({ kind: 'point', text: `${check.id}: ${numbers}` })
  for (const sample of check.samples.slice(0, 2))
    items.push({ kind: 'point', text: `a row: ${pairs(sample)}` })
  return items
}

/**
 * A list of records, such as the late sources, becomes one point each; text with several lines is kept; anything else
 * is one line.
 */
function evidence(key: string, value: unknown, timezone: string): Item[] {
  if (value === '') return []
  if (typeof value === 'string' && value.includes('\n')) {
    return [
      { kind: 'text', text: `${LINES[key] ?? key.replaceAll('_', ' ')}:` },
      { kind: 'quote', text: cut(value, 1500) },
    ]
  }
  if (Array.isArray(value) && value.length > 0 && value.every((item) => isRecord(item))) {
    return value.slice(0, 5).map((item) => ({ kind: 'point', text: oneLine(record(item, timezone), 300) }))
  }
  return [{ kind: 'fact', label: key.replaceAll('_', ' '), text: oneLine(plain(value, timezone), 300) }]
}

function record(value: Record<string, unknown>, timezone: string): string {
  return Object.entries(value)
    .map(([key, item]) => `${key.replaceAll('_', ' ')} ${plain(item, timezone)}`)
    .join(', ')
}

function plain(value: unknown, timezone: string): string {
  if (value === null || value === undefined) return 'none'
  if (typeof value === 'string') return localTimes(value, timezone)
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
      .map(([key, value]) => `${key} ${shortened(value)}`)
      .join(', '),
    300,
  )
}

/** A count is named for what it counts. */
function numbersOf({ kind, observed, bound }: Check): string {
  if (kind === 'score.range' && typeof observed === 'number')
    return `${count(observed)} ${observed === 1 ? 'row' : 'rows'} outside ${show(bound)}`
  if (kind === 'score.finite' && typeof observed === 'number')
    return `${count(observed)} ${observed === 1 ? 'row has' : 'rows have'} no finite score`
  const found =
    typeof observed === 'number' && typeof bound === 'number' ? figureBeside(observed, bound) : show(observed)
  return `found ${found}, allowed ${show(bound)}`
}

function show(value: string | number | null): string {
  if (value === null) return 'nothing'
  return typeof value === 'number' ? figure(value) : value
}

/** A value of a sample row; a fraction in as many digits as people read. */
function shortened(value: string): string {
  return /^-?\d+\.\d{4,}$/.test(value) ? figure(Number(value)) : value
}
