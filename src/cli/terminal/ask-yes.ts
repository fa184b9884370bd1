import { createInterface } from 'node:readline/promises'
import { ConfigurationError } from '../../project/files/problem.ts'
import { interrupt } from '../../workers/interruption.ts'

/** Asks on the terminal; no answer is no. Throws a ConfigurationError that says what to do where there is none. */
export async function askYes(question: string, without: string): Promise<boolean> {
  if (process.stdin.isTTY !== true) throw new ConfigurationError(without)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // On a terminal that reads keys Ctrl-C is a key, and Ctrl-D is no answer.
  terminal.once('SIGINT', () => interrupt('SIGINT'))
  const noAnswer = new Promise<string>((resolve) => terminal.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), noAnswer])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
