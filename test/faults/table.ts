import { z } from 'zod'
import type { Try } from './record.ts'

const Line = z.object({
  fault: z.string(),
  promise: z.string(),
  happened: z.string(),
  seconds: z.number(),
}) satisfies z.ZodType<Try>

const BEGIN = '<!-- written by npm run test:faults -->'
const END = '<!-- end -->'

/** Reads the tries that `record` has appended, one JSON object a line. */
export function readTries(text: string): Try[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Line.parse(JSON.parse(line)))
}

/** One row a fault, in the order of their names: tries, what came of them, seconds in the median and the worst case. */
export function faultTable(tries: Try[]): string {
  const rows = alikeBy(tries, ({ fault, promise }) => `${fault}\n${promise}`)
    .sort((a, b) => (a[0]?.fault ?? '').localeCompare(b[0]?.fault ?? ''))
    .map((alike) => {
      const seconds = alike.map((each) => each.seconds).sort((a, b) => a - b)
      const median = seconds[Math.floor((seconds.length - 1) / 2)] ?? 0
      return [
        alike[0]?.fault,
        alike[0]?.promise,
        alike.length,
        outcomes(alike),
        `${median.toFixed(1)} / ${(seconds.at(-1) ?? 0).toFixed(1)}`,
      ]
    })
  const header = ['fault', 'promise', 'tries', 'what happened', 'seconds, median / worst']
  return [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** The page with its table replaced. Throws where the page has no place for it. */
export function withTable(page: string, table: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`the page has no place for the table: ${BEGIN} ... ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${page.slice(end)}`
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
