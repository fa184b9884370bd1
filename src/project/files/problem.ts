/** One error, warning or piece of advice about a project's files. */
export interface Problem {
  severity: 'error' | 'warning' | 'advice'
  /** Path relative to the project's root. */
  file: string
  line: number | undefined
  column: number | undefined
  /** States what was expected, what it got, what is legal and what to do. */
  message: string
  /** A source's path names no file: what can be checked without it has been. */
  absent?: boolean
}

/** No one fixes more at once, and later problems often follow from earlier ones. */
export const MOST_PROBLEMS = 100

/**
 * The first of many problems, errors first, and one that states that there are more. A list with errors always keeps
 * some.
 */
export function firstProblems(problems: Problem[]): Problem[] {
  if (problems.length <= MOST_PROBLEMS) return problems
  const errors = problems.filter(({ severity }) => severity === 'error')
  const kept = new Set([...errors, ...problems].slice(0, MOST_PROBLEMS))
  const hidden = problems.filter((problem) => !kept.has(problem))
  const severity = hidden.some((problem) => problem.severity === 'error') ? 'error' : 'warning'
  const more: Problem = {
    severity,
    file: hidden[0]?.file ?? 'nightshift.yaml',
    line: undefined,
    column: undefined,
    message: `and more: only the first ${MOST_PROBLEMS} problems are listed; fix them, then run \`nightshift validate\` again`,
  }
  return [...problems.filter((problem) => kept.has(problem)), more]
}

/** The call or the configuration is invalid: nothing ran. The CLI prints the message and exits with 2. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
  readonly problems: Problem[]

  constructor(message: string, options: { cause?: unknown; problems?: Problem[] } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.problems = options.problems ?? []
  }
}
