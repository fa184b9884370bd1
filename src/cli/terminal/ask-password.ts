import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { ConfigurationError } from '../../project/files/problem.ts'
import { interrupt } from '../../workers/interruption.ts'

/** On a terminal, asks for a new password twice without echo; elsewhere reads one line of standard input. */
export async function readPassword(name: string): Promise<string> {
  if (!process.stdin.isTTY) return firstLine()
  const first = await ask(`Password of ${name}: `)
  if ((await ask('Repeat the password: ')) === first) return first
  throw new ConfigurationError(
    'password: expected the same password twice, got: two different ones; nothing was changed',
  )
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
  // readline echoes input to its output: this output discards it.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  return new Promise<string>((resolve, reject) => {
    lines.once('line', resolve)
    lines.once('close', () =>
      reject(new ConfigurationError('password: expected a password, got: none; nothing was changed')),
    )
    lines.once('SIGINT', () => interrupt('SIGINT'))
  }).finally(() => {
    lines.close()
    process.stderr.write('\n')
  })
}
