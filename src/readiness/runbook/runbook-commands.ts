/** A command of this program that a runbook names. */
export interface RunbookCommand {
  /** 1-based line of RUNBOOK.md. */
  line: number
  /** As written, without `npx` and what a shell would do with its output. */
  text: string
  args: string[]
  /** Prose that only names the command, such as `nightshift show`: its arguments are not written there. */
  named: boolean
  /** In a block that begins with ```sh safe: the gate runs it. */
  safe: boolean
}

/** All commands in inline code and in fenced blocks, in order. */
export function commandsOf(text: string): RunbookCommand[] {
  const found: RunbookCommand[] = []
  let fence: { safe: boolean } | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, info] = /^\s*(?:```|~~~)(.*)$/.exec(line) ?? []
    if (info !== undefined) {
      fence = fence === undefined ? { safe: /\bsafe\b/.test(info) } : undefined
      continue
    }
    const codes =
      fence === undefined ? [...line.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map(([, code = '']) => code) : [line]
    for (const code of codes) {
      const args = argsOf(code)
      if (args === undefined) continue
      found.push({
        line: index + 1,
        text: ['nightshift', ...args].join(' '),
        args,
        named: fence === undefined && args.length === 1,
        safe: fence?.safe ?? false,
      })
    }
  }
  return found
}

/** Commands that change nothing: only these may stand in a safe block. */
export const READING_COMMANDS = [
  'backfills',
  'check',
  'doctor',
  'drift',
  'explain',
  'history',
  'incidents',
  'outcomes',
  'runs',
  'show',
  'status',
  'validate',
  'versions',
]

/** The arguments of `nightshift ...` or `npx nightshift ...`; undefined: it is another command. */
function argsOf(code: string): string[] | undefined {
  const [, rest] = /^\s*\$?\s*(?:npx\s+)?nightshift\b(?!\.)(.*)$/.exec(code) ?? []
  if (rest === undefined || rest.trim() === '') return undefined
  const words = [...rest.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)]
  const args: string[] = []
  for (const [, double, single, bare] of words) {
    // What follows is a comment, or the shell's.
    if (bare !== undefined && /^(?:#|[|<>;]|&&|\d?>)/.test(bare)) break
    args.push(double ?? single ?? bare ?? '')
  }
  // Sentences also write commands with dots: `nightshift retry ...`.
  return args.length === 0 || args.includes('...') ? undefined : args
}
