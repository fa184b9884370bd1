import { braceExpand } from 'minimatch'

/** Longer patterns are not written by hand, and the cost of the walk grows with the length. */
const LONGEST = 1000
const MOST_ROWS = 100

/**
 * What is legal, if this pattern is invalid; undefined if it is valid. `*` and `?` match within one name, `**`
 * matches any number of folders, `[ab]` and `{a,b}` match alternatives.
 */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length > LONGEST) return `a path or glob of at most ${LONGEST} characters`
  if (/\p{Cc}/u.test(pattern)) return 'a path or glob without control characters'
  if (pattern.includes('\\')) return 'a path or glob with / between its folders, without a backslash'
  const unclosed = unclosedIn(pattern)
  if (unclosed !== undefined) return unclosed
  if (braceExpand(pattern, { braceExpandMax: MOST_ROWS + 1 }).length > MOST_ROWS)
    return `a path or glob whose { } expand to at most ${MOST_ROWS} paths: use * instead`
  return wildFault(pattern)
}

/** The paths that a valid pattern's braces expand to, each as the names between its slashes. */
export function patternRows(pattern: string): string[][] {
  return braceExpand(pattern, { braceExpandMax: MOST_ROWS }).map((row) =>
    row.split('/').filter((name) => name !== '' && name !== '.'),
  )
}

export function isWild(name: string): boolean {
  return /[*?[\]]/.test(name)
}

function wildFault(pattern: string): string | undefined {
  for (const row of patternRows(pattern)) {
    const first = row.findIndex(isWild)
    if (first >= 0 && row.includes('..', first)) return 'a path or glob without .. after its first wildcard'
    // It would walk the whole file system, including /proc.
    if (pattern.startsWith('/') && first === 0 && row[0] === '**')
      return 'a path or glob with a folder name before its first **'
  }
  return undefined
}

/** Brackets and braces that are not closed or contain no alternatives. */
function unclosedIn(pattern: string): string | undefined {
  const open: { choice: boolean }[] = []
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at)
    const brace = open.at(-1)
    if (char === '[') {
      const close = pattern.indexOf(']', at + (/[!^]/.test(pattern.charAt(at + 1)) ? 3 : 2))
      if (close < 0 || pattern.slice(at, close).includes('/'))
        return 'a path or glob in which a ] closes each [ before the next /'
      at = close
    } else if (char === '{') open.push({ choice: false })
    else if (char === '}') {
      if (brace === undefined) return 'a path or glob in which each } closes a {'
      if (!brace.choice)
        return 'a path or glob whose { } choose among several, such as {2025,2026} or {01..12}'
      open.pop()
    } else if (brace !== undefined && (char === ',' || pattern.startsWith('..', at))) brace.choice = true
  }
  return open.length > 0 ? 'a path or glob in which a } closes each {' : undefined
}
