import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { dirname, join, resolve } from 'node:path'
import type { Finished } from './nightshift.ts'

/** What a process that has the program loaded can take on itself; of other variables it may know older values. */
const VARIABLES = ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL']
/** Commands of one test that run at once. More start processes of their own. */
const MOST = 3

const idle: ChildProcess[] = []
let all = 0

/**
 * Runs a command in a process that has run others before, as fast as it is without its start. Undefined where it needs a
 * process of its own: with the embedded database, other variables, or `NIGHTSHIFT_TEST_CLI=process`.
 */
export async function runWarm(
  cli: string,
  args: string[],
  { env, given }: { env: NodeJS.ProcessEnv; given: Record<string, string> },
): Promise<Finished | undefined> {
  if (process.env.NIGHTSHIFT_TEST_CLI === 'process' || process.env.NIGHTSHIFT_DIST !== undefined)
    return undefined
  if (
    Object.keys(given).some((name) => !VARIABLES.includes(name) && !name.startsWith('AWS_')) ||
    !given.DATABASE_URL
  )
    return undefined
  const child = idle.pop() ?? (all < MOST ? await startWarm(cli) : undefined)
  if (child === undefined) return undefined
  const end = `\u0000${randomUUID()}`
  const printed = { stdout: '', stderr: '' }
  const follow = (stream: 'stdout' | 'stderr') =>
    new Promise<void>((done) => {
      const take = (text: string) => {
        printed[stream] += text
        if (printed[stream].endsWith(end)) done()
      }
      child[stream]?.on('data', take)
      child[stream]?.once('close', done)
    })
  const flushed = Promise.all([follow('stdout'), follow('stderr')])
  const answered = new AbortController()
  const answer = Promise.race([
    once(child, 'message', answered).then(([{ code }]) => code as number),
    once(child, 'exit', answered).then(([code]) => code as number | null),
  ])
  child.send({ args, env, end })
  const [code] = await Promise.all([answer, flushed])
  answered.abort()
  for (const stream of [child.stdout, child.stderr]) stream?.removeAllListeners()
  if (child.connected) idle.push(child)
  const text = (part: string) => part.replace(end, '')
  return { code, stdout: text(printed.stdout), stderr: text(printed.stderr) }
}

async function startWarm(cli: string): Promise<ChildProcess> {
  all++
  const child = fork(
    resolve(import.meta.dirname, 'warm-commands.mjs'),
    [join(dirname(cli), 'cli/command-line.js')],
    {
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  child.once('exit', () => {
    all--
    const index = idle.indexOf(child)
    if (index >= 0) idle.splice(index, 1)
  })
  process.once('exit', () => child.kill('SIGKILL'))
  child.stdout?.setEncoding('utf8')
  child.stderr?.setEncoding('utf8')
  await once(child, 'message')
  return child
}
