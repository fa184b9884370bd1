import type { Place } from './yaml-file.ts'

/**
 * Maps a position within a YAML text to its position in the file. `within` counts from 1 in the text as YAML reads
 * it, `at` is where the value begins. A folded text maps to its beginning, because its lines differ from those of the
 * file.
 */
export function placeInText(file: string, at: Place, within: { line: number; column: number }): Place {
  const lines = file.split('\n')
  const { line = 1, column = 1 } = at
  const first = lines[line - 1]?.slice(column - 1) ?? ''
  if (/^\|/.test(first)) {
    const content = lines.slice(line)
    const indent = /^ */.exec(content.find((each) => each.trim() !== '') ?? '')?.[0].length ?? 0
    return { line: line + within.line, column: indent + within.column }
  }
  const quote = /^['"]/.test(first) ? 1 : 0
  const onFirst = within.line === 1 && !first.startsWith('>') && within.column + quote <= first.length + 1
  return onFirst ? { line, column: column + quote + within.column - 1 } : at
}
