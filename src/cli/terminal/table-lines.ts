/** Free text stands in as few characters, where its words allow. */
const NARROWEST = 16
const GAP = '  '
/** Instants stay in one piece. */
const INSTANT = /(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d)?) ([A-Z]\S*)/g
const JOINED = '\u00a0'

/** What a table does on a narrow terminal. */
export interface Narrow {
  /** Columns that can be left out, the first ones first. */
  spare?: string[]
  /** The last column, if it may stand below its row. */
  below?: string
}

/** One line: padded cells with the names of their columns, to be coloured before they are joined. */
export type TableLine = { text: string; column: string }[]

/**
 * Lines of a table within `width` characters. What does not fit is laid out otherwise and never cut: the last column goes
 * below its row where it has no name or is `below`, columns without a value are left out, texts are wrapped, columns of `spare` are left out (the first ones first), and
 * where that is not enough each row becomes a list of its values.
 *
 * @returns the lines, and the columns that were left out
 */
export function tableLines(
  header: string[],
  rows: string[][],
  { width, spare = [], below: named = '' }: { width: number } & Narrow,
): { lines: TableLine[]; without: string[] } {
  const whole = header.map((_, index) => index)
  if (widthOf(widthsOf(header, rows, whole)) <= width)
    return { lines: lined(header, rows, whole, widthsOf(header, rows, whole)), without: [] }
  const below = ['', named].includes(header.at(-1) ?? '') ? header.length - 1 : undefined
  for (let left = 0; left <= spare.length; left++) {
    const without = spare.slice(0, left).filter((name) => header.includes(name))
    const columns = whole.filter(
      (index) =>
        index !== below &&
        !without.includes(header[index] ?? '') &&
        rows.some((row) => (row[index] ?? '') !== ''),
    )
    const widths = narrowed(header, rows, columns, width)
    if (widthOf(widths) > width) continue
    return {
      lines: lined(header, rows, columns, widths, below === undefined ? undefined : { column: below, width }),
      without,
    }
  }
  return { lines: listed(header, rows, width), without: [] }
}

function widthsOf(header: string[], rows: string[][], columns: number[]): number[] {
  return columns.map((column) => Math.max(...[header, ...rows].map((row) => (row[column] ?? '').length)))
}

/** Of columns beside each other; one that is empty at the end takes nothing. */
function widthOf(widths: number[]): number {
  const last = widths.findLastIndex((each) => each > 0)
  return widths.slice(0, last + 1).reduce((sum, each) => sum + each + GAP.length, -GAP.length)
}

/** Takes from the widest texts what is too much, down to their longest words. */
function narrowed(header: string[], rows: string[][], columns: number[], width: number): number[] {
  const widths = widthsOf(header, rows, columns)
  const least = columns.map((column, at) => {
    const words = [header, ...rows].flatMap((row) => wordsOf(row[column] ?? ''))
    const longest = Math.max(0, ...words.map((word) => word.length))
    return Math.max(longest, Math.min(widths[at] ?? 0, NARROWEST))
  })
  for (let excess = widthOf(widths) - width; excess > 0; excess = widthOf(widths) - width) {
    const slack = widths.map((each, at) => each - (least[at] ?? 0))
    const most = Math.max(...slack)
    if (most <= 0) break
    const at = slack.indexOf(most)
    widths[at] = (widths[at] ?? 0) - Math.min(most, excess)
  }
  return widths
}

function lined(
  header: string[],
  rows: string[][],
  columns: number[],
  widths: number[],
  below?: { column: number; width: number },
): TableLine[] {
  return [header, ...rows].flatMap((row): TableLine[] => {
    const cells = columns.map((column, at) => wrapped(row[column] ?? '', widths[at] ?? 0))
    const height = Math.max(1, ...cells.map(({ length }) => length))
    const lines = Array.from(
      { length: height },
      (_, line): TableLine =>
        columns.map((column, at) => ({
          text: (cells[at]?.[line] ?? '').padEnd(widths[at] ?? 0),
          column: row === header ? '' : (header[column] ?? ''),
        })),
    )
    const rest = below === undefined ? '' : (row[below.column] ?? '')
    if (below === undefined || rest === '') return lines
    return [...lines, ...wrapped(rest, below.width - 4).map((text) => [{ text: `    ${text}`, column: '' }])]
  })
}

/** Each row as a list: `state  published`. */
function listed(header: string[], rows: string[][], width: number): TableLine[] {
  const label = Math.max(...header.map(({ length }) => length))
  return rows.flatMap((row, index): TableLine[] => [
    ...(index === 0 ? [] : [[]]),
    ...header.flatMap((name, column): TableLine[] => {
      const lines = wrapped(row[column] ?? '', Math.max(NARROWEST, width - label - GAP.length))
      if ((row[column] ?? '') === '') return []
      return lines.map((text, line) => [
        { text: (line === 0 ? name : '').padEnd(label), column: '' },
        { text, column: name },
      ])
    }),
  ])
}

function wordsOf(text: string): string[] {
  return text.replace(INSTANT, `$1${JOINED}$2${JOINED}$3`).split(' ')
}

/** Lines of at most `width` characters; a longer word has one of its own. */
function wrapped(text: string, width: number): string[] {
  if (text.length <= width) return [text]
  const lines = ['']
  for (const word of wordsOf(text)) {
    const last = lines.at(-1) ?? ''
    if (last === '') lines[lines.length - 1] = word
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.map((line) => line.replaceAll(JOINED, ' '))
}
