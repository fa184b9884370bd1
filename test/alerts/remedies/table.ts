const BEGIN = '<!-- written by npm run remedies -->'
const END = '<!-- end -->'

/** The page with its table made of these rows: kind, cause, command or button, what holds after it. */
export function withRows(page: string, rows: string[][]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error('the page has no place for the table')
  const lines = [['kind', 'cause', 'command or button', 'after it'], ['---', '---', '---', '---'], ...rows]
  const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  return `${page.slice(0, begin)}${BEGIN}\n\n${table}\n\n${page.slice(end)}`
}
