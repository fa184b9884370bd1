import { z } from 'zod'
import type { Try } from './record.ts'

const Line = z.object({
  fault: z.string(),
  promise: z.string(),
  happened: z.string(),
  seconds: z.number(),
  form: z.enum(['full', 'short']),
}) satisfies z.ZodType<Try>

/** The tables of the page, by the comment before each. */
export const TABLES = {
  faults: '<!-- written by npm run test:faults -->',
  guards: '<!-- written by npm run test:faults -- --break -->',
} as const
const END = '<!-- end -->'

/** Reads the tries that `record` has appended, one JSON object a line. */
export function readTries(text: string): Try[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Line.parse(JSON.parse(line)))
}

type Row = (string | number)[]
const HEADER = ['fault', 'promise', 'form', 'tries', 'what happened', 'seconds, median / worst']
const FORM = HEADER.indexOf('form')

/**
 * One row a fault, in the order of their names: tries, what came of them, seconds in the median and the worst case.
 * Rows of `kept`, a page, stay where none of the tries is of their fault, and where they are of the full form and
 * the tries of the short one.
 */
export function faultTable(tries: Try[], kept = ''): string {
  const rows = new Map(rowsOf(kept, TABLES.faults).map((row) => [String(row[0]), row]))
  for (const alike of alikeBy(tries, ({ fault }) => fault)) {
    const seconds = alike.map((each) => each.seconds).sort((a, b) => a - b)
    const median = seconds[Math.floor((seconds.length - 1) / 2)] ?? 0
    const [first] = alike
    if (first === undefined) continue
    const { fault, promise } = first
    const form = alike.every((each) => each.form === 'full') ? 'full' : 'short'
    if (form === 'short' && rows.get(fault)?.[FORM] === 'full') continue
    const took = `${median.toFixed(1)} / ${(seconds.at(-1) ?? 0).toFixed(1)}`
    rows.set(fault, [fault, promise, form, alike.length, outcomes(alike), took])
  }
  const sorted = [...rows.values()].sort(([a], [b]) => String(a).localeCompare(String(b)))
  return textTable([HEADER, ...sorted])
}

/** The rows of one of a page's tables, without its header; none where the page has no such table. */
export function rowsOf(page: string, begins: string): Row[] {
  const begin = page.indexOf(begins)
  if (begin < 0) return []
  const lines = page.slice(begin, page.indexOf(END, begin)).split('\n')
  const cells = lines.filter((line) => line.startsWith('| ')).map((line) => line.slice(2, -2).split(' | '))
  return cells.filter((row) => row.length === cells[0]?.length).slice(2)
}

/** Markdown; the first row is the header. */
export function textTable([header = [], ...rows]: (string | number | undefined)[][]): string {
  return [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** The page with one of its tables replaced. Throws where the page has no place for it. */
export function withTable(page: string, table: string, begins: string = TABLES.faults): string {
  const begin = page.indexOf(begins)
  const end = page.indexOf(END, begin)
  if (begin < 0 || end < 0) throw new Error(`the page has no place for the table: ${begins} ... ${END}`)
  return `${page.slice(0, begin + begins.length)}\n\n${table}\n\n${page.slice(end)}`
}

function outcomes(tries: Try[]): string {
  const groups = alikeBy(tries, ({ happened }) => happened)
  const words = groups.map((alike) => `${alike.length}: ${alike[0]?.happened}`)
  return groups.length === 1 ? (tries[0]?.happened ?? '') : words.join('; ')
}

function alikeBy(tries: Try[], key: (tried: Try) => string): Try[][] {
  const groups = new Map<string, Try[]>()
  for (const tried of tries) groups.set(key(tried), [...(groups.get(key(tried)) ?? []), tried])
  return [...groups.values()]
}
