import { printable } from '../../project/files/value-text.ts'
import { type Narrow, tableLines } from './table-lines.ts'

/** Prints data for programs: always valid JSON, `[]` when there is nothing. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Escapes control characters: lines contain names and messages from files and other programs. */
export function printLine(line = ''): void {
  process.stdout.write(`${printable(line)}\n`)
}

/** What a person should know and a program that reads the output should not meet. */
export function printNotice(line: string): void {
  process.stderr.write(`${printable(line)}\n`)
}

/** Prints text that contains our own colour codes. The caller has already escaped the rest. */
export function printColoured(text: string): void {
  process.stdout.write(`${text}\n`)
}

/**
 * On a terminal a table fits its width (table-lines.ts), and states have a colour; elsewhere each row is one line. Nothing is truncated, ids
 * in particular. What a narrow terminal leaves out is said below the table.
 */
export function printTable(
  header: string[],
  rows: (string | number | null | undefined)[][],
  narrow: Narrow = {},
): void {
  const cells = rows.map((row) =>
    row.map((cell) => printable(cell === null || cell === undefined ? '' : String(cell))),
  )
  const { lines, without } = tableLines(header.map(printable), cells, { width: terminalWidth(), ...narrow })
  const colour = isColoured(process.stdout)
  for (const line of lines) {
    const end = line.findLastIndex(({ text }) => text.trim() !== '') + 1
    const texts = line.slice(0, end).map(({ text, column }, at) => {
      const shown = at === end - 1 ? text.trimEnd() : text
      return colour ? painted(shown, column) : shown
    })
    process.stdout.write(`${texts.join('  ')}\n`)
  }
  if (without.length > 0)
    printLine(`left out, because the terminal is narrow: ${without.join(', ')}; --json has all`)
}

/** Characters of a line; of what is no terminal any number. */
function terminalWidth(): number {
  if (process.stdout.isTTY !== true) return Number.POSITIVE_INFINITY
  const given = Number(process.env.COLUMNS)
  return Number.isInteger(given) && given > 0 ? given : process.stdout.columns || Number.POSITIVE_INFINITY
}

/** Colours are for terminals, unless NO_COLOR is set (no-color.org). */
export function isColoured(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
}

/** Columns whose words have a colour. */
const STATES = new Set(['state', 'status', 'use it?'])
/** The first that occurs decides. */
const COLOURS: [RegExp, number][] = [
  [/^(?:failed|fail|no)\b|missing/, 31],
  [/^(?:held|open|check|unknown|waiting|paused|waived)\b|\blate\b|\bstale\b/, 33],
  [/^(?:running|queued|publishing)\b/, 36],
  [/^(?:published|closed|done|yes|pass|sent|champion)\b/, 32],
]

function painted(text: string, column: string): string {
  if (!STATES.has(column)) return text
  const colour = COLOURS.find(([words]) => words.test(text))?.[1]
  return colour === undefined
    ? text
    : `\u001b[${colour}m${text.trimEnd()}\u001b[0m${text.slice(text.trimEnd().length)}`
}
