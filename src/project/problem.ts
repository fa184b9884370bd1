/** One thing that is wrong (or worth a word) in a project's files. */
export interface Problem {
  severity: 'error' | 'warning' | 'advice'
  /** Path relative to the project's root. */
  file: string
  line: number | undefined
  column: number | undefined
  /** Says what was expected, what it got, what is legal and what to do. */
  message: string
}

/** The call or the configuration is wrong: nothing ran. The CLI prints the message and exits with 2. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
  readonly problems: Problem[]

  constructor(message: string, options: { cause?: unknown; problems?: Problem[] } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.problems = options.problems ?? []
  }
}
