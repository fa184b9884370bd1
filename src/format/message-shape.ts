import { oneLine } from './one-line.ts'

/** A message without the number of the attempt, which is part of the path of what an attempt writes. */
export function ofAnyAttempt(message: string): string {
  return message.replaceAll(/(\.attempts\/\w+)-a\d+/g, '$1')
}

/**
 * A message without the parts that differ between runs (quoted names, numbers, ids, paths, times). Groups failures of
 * the same kind.
 */
export function messageShape(message: string): string {
  return oneLine(message, 500)
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '?')
    .replace(/(?:[\w.*=-]*\/)+[\w.*=-]+/g, '?')
    .replace(/\b(?=\w*\d)(?=\w*[a-z])\w{6,}\b/gi, '?')
    .replace(/\d+(?:[.,:-]\d+)*/g, '#')
    .toLowerCase()
}
