import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { IS_FULL } from './player.ts'

const PAGE = 'docs/remedies.md'
const END = '<!-- end -->'

/**
 * Compares a table of the page with these rows (kind, cause, command or button, what holds after it), or writes it there.
 * In the short form it finds each of them there.
 *
 * @param part which table: that of failed runs, of late nights, of checks
 */
export function expectTable(part: string, rows: string[][]): void {
  const page = readFileSync(PAGE, 'utf8')
  const now = withRows(page, part, rows)
  if (process.env.NIGHTSHIFT_REMEDIES === 'write') writeFileSync(PAGE, now)
  else if (IS_FULL) expect(now).toBe(page)
  else for (const row of rows) expect(page).toContain(lineOf(row))
}

function withRows(page: string, part: string, rows: string[][]): string {
  const mark = `<!-- ${part}: written by npm run remedies -->`
  const begin = page.indexOf(mark)
  const end = page.indexOf(END, begin)
  if (begin < 0 || end < begin) throw new Error(`the page has no place for the table of ${part}`)
  const lines = [['kind', 'cause', 'command or button', 'after it'], ['---', '---', '---', '---'], ...rows]
  const table = lines.map(lineOf).join('\n')
  return `${page.slice(0, begin)}${mark}\n\n${table}\n\n${page.slice(end)}`
}

function lineOf(cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}
