import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { ConfigurationError } from '../../project/files/problem.ts'

/** Asks for a new password, twice and without echo, on a terminal; elsewhere reads one line of standard input. */
export async function readPassword(name: string): Promise<string> {
  if (!process.stdin.isTTY) return firstLine()
  const first = await ask(`Password of ${name}: `)
  if ((await ask('The same again: ')) === first) return first
  throw new ConfigurationError('password: expected the same twice, got: two that differ; nothing was changed')
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  try {
    for await (const line of lines) return line
  } finally {
    lines.close()
  }
  throw new ConfigurationError('password: expected one line on standard input, got: nothing')
}

function ask(question: string): Promise<string> {
  process.stderr.write(question)
  // readline echoes to its output: this one swallows what is typed.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  return new Promise<string>((resolve, reject) => {
    lines.once('line', resolve)
    lines.once('close', () =>
      reject(new ConfigurationError('password: expected one, got: none; nothing was changed')),
    )
    lines.once('SIGINT', () => lines.close())
  }).finally(() => {
    lines.close()
    process.stderr.write('\n')
  })
}
