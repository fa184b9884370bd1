import { printable } from '../../project/files/value-text.ts'

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

/** Columns are as wide as their widest cell: nothing is truncated, ids in particular. */
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
