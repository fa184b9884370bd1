import type { Problem } from './problem.ts'
import { printable } from './value-text.ts'

const COLOUR = { error: '\u001b[31m', warning: '\u001b[33m', advice: '\u001b[36m' }
const DIM = '\u001b[2m'
const RESET = '\u001b[0m'

/**
 * One problem a line, `file:line:column severity message` (terminals and editors open that), and a line that counts
 * them. Colour is never the only sign: the severity is a word. Empty for no problems.
 */
export function formatProblems(
  problems: readonly Problem[],
  { color = false }: { color?: boolean } = {},
): string {
  if (problems.length === 0) return ''
  const lines = problems.map(({ file, line, column, severity, message }) => {
    const place = printable([file, line, column].filter((part) => part !== undefined).join(':'))
    const [first = '', ...rest] = printable(message).split('\n')
    const head = color
      ? `${DIM}${place}${RESET} ${COLOUR[severity]}${severity}${RESET} ${first}`
      : `${place} ${severity} ${first}`
    return [head, ...rest.map((more) => `    ${more}`)].join('\n')
  })
  return `${lines.join('\n')}\n\n${countProblems(problems)}`
}

/** `2 errors, 1 warning`. */
export function countProblems(problems: readonly Problem[]): string {
  const counts = (['error', 'warning', 'advice'] as const).flatMap((severity) => {
    const count = problems.filter((problem) => problem.severity === severity).length
    if (count === 0) return []
    const word = severity === 'advice' || count === 1 ? severity : `${severity}s`
    return [`${count} ${word === 'advice' && count > 1 ? 'pieces of advice' : word}`]
  })
  return counts.join(', ') || 'no problems'
}
