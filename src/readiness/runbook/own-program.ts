import { spawn } from 'node:child_process'
import { ownProgram } from '../../program/own-files.ts'

const PROGRAM = ownProgram('cli.js')
const LONGEST_MS = 120_000
const LONGEST_OUTPUT = 64 * 1024

interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** For each call null, or why this program would refuse it. Runs none of them. */
export async function refusals(calls: string[][]): Promise<(string | null)[]> {
  if (calls.length === 0) return []
  const { code, stdout, stderr } = await call(['parse'], JSON.stringify(calls))
  if (code !== 0) throw new Error(`the commands could not be checked: ${stderr.trim()}`)
  return JSON.parse(stdout)
}

/** Runs a command of this program in a project; null if it ends with 0 or 1, else its first line of error. */
export async function trial(args: string[], root: string): Promise<string | null> {
  const { code, stdout, stderr } = await call([...args, '--project', root], '')
  // 1 says that work failed or is held: the command itself is right.
  if (code === 0 || code === 1) return null
  const [first = ''] = `${stderr}\n${stdout}`.trim().split('\n')
  return first === '' ? `it ended with exit code ${code}` : first
}

function call(args: string[], input: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      timeout: LONGEST_MS,
      killSignal: 'SIGKILL',
      env: { ...process.env, NO_COLOR: '1' },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data) => {
      if (stdout.length < LONGEST_OUTPUT) stdout += data
    })
    child.stderr.on('data', (data) => {
      if (stderr.length < LONGEST_OUTPUT) stderr += data
    })
    child.stdin.on('error', () => {})
    child.on('error', reject)
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 2, stdout, stderr: signal === null ? stderr : `it was ended by ${signal}` }),
    )
    child.stdin.end(input)
  })
}
