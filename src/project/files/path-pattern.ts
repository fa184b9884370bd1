import { braceExpand } from 'minimatch'

/** More is no path that anybody wrote by hand, and the walk's work grows with it. */
const LONGEST = 1000
const MOST_ROWS = 100

/**
 * What a path of files has to be, where this one is something else; undefined where it is sound. `*` and `?` stay within
 * one name, `**` goes through any number of folders, `[ab]` and `{a,b}` choose.
 */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length > LONGEST) return `a path or glob of at most ${LONGEST} characters`
  if (/\p{Cc}/u.test(pattern)) return 'a path or glob without control characters'
  if (pattern.includes('\\')) return 'a path or glob with / between its folders, without a backslash'
  const unclosed = unclosedIn(pattern)
  if (unclosed !== undefined) return unclosed
  if (braceExpand(pattern, { braceExpandMax: MOST_ROWS + 1 }).length > MOST_ROWS)
    return `a path or glob whose { } stand for at most ${MOST_ROWS} paths: use * in their place`
  return wildFault(pattern)
}

/** The paths that the braces of a sound pattern stand for, each as the names between its slashes. */
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
    if (first >= 0 && row.includes('..', first)) return 'a path or glob without .. behind its first wildcard'
    // It would walk through the whole machine, /proc included.
    if (pattern.startsWith('/') && first === 0 && row[0] === '**')
      return 'a path or glob with the name of a folder before its first **'
  }
  return undefined
}

/** Brackets and braces that are not closed, or choose between nothing. */
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
      if (brace === undefined) return 'a path or glob in which a { begins what each } closes'
      if (!brace.choice)
        return 'a path or glob whose { } choose among several, such as {2025,2026} or {01..12}'
      open.pop()
    } else if (brace !== undefined && (char === ',' || pattern.startsWith('..', at))) brace.choice = true
  }
  return open.length > 0 ? 'a path or glob in which a } closes each {' : undefined
}
