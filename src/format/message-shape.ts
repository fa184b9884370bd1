import { oneLine } from './one-line.ts'

/**
 * A message without what differs from one run to the next (names in quotes, numbers, ids, paths, times), by which
 * failures of the same kind find together.
 */
export function messageShape(message: string): string {
  return oneLine(message, 500)
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '?')
    .replace(/(?:[\w.*=-]*\/)+[\w.*=-]+/g, '?')
    .replace(/\b(?=\w*\d)(?=\w*[a-z])\w{6,}\b/gi, '?')
    .replace(/\d+(?:[.,:-]\d+)*/g, '#')
    .toLowerCase()
}
