import type { Context } from 'hono'

export type Cell = string | number | boolean | null | undefined

/**
 * Rows as in RFC 4180, with CRLF. Text that a spreadsheet would interpret as a formula gets a leading quote, so that it
 * remains text (OWASP, CSV injection); numbers stay numbers.
 */
export function csv(head: string[], rows: Cell[][]): string {
  return [head, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('')
}

function field(value: Cell): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** Responds with a CSV file to download. */
export function download(context: Context, name: string, text: string) {
  return context.body(text, 200, {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}"`,
  })
}
