import { printable } from '../../project/files/value-text.ts'

/** Prints data for programs: always valid JSON, `[]` when there is nothing. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Names and messages of others are in it: none of them reaches the terminal as a command. */
export function printLine(line = ''): void {
  process.stdout.write(`${printable(line)}\n`)
}

/** Text with colours of ours, of which the rest is printable already. */
export function printColoured(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Columns as wide as their widest cell: nothing is cut, ids above all. */
export function printTable(header: string[], rows: (string | number | null | undefined)[][]): void {
  const cells = [
    header,
    ...rows.map((row) => row.map((cell) => (cell === null || cell === undefined ? '' : String(cell)))),
  ]
  const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  for (const row of cells) {
    printLine(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  }
}
