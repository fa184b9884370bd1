import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { type Finished, runWarm } from '../../fixtures/warm-commands.ts'

/** The bundled program; faults may be injected into another. */
export const CLI = resolve(
  process.env.NIGHTSHIFT_DIST ?? resolve(import.meta.dirname, '../../dist'),
  'cli.js',
)

export type { Finished }

/** Variables of the machine that would change what is tested. */
const CLEARED = { DATABASE_URL: '', REDIS_URL: '', SMTP_URL: '', NIGHTSHIFT_LOG: '' }

/** Starts the bundled program as a user would, in a project. */
export function start(
  args: string[],
  {
    project,
    env = {},
    user,
    node = [],
  }: {
    project: string
    env?: Record<string, string>
    user?: { uid: number; gid: number } | undefined
    /** Arguments of Node itself; its compute children get them too. */
    node?: string[]
  },
): ChildProcess {
  const child = spawn(process.execPath, [...node, CLI, ...args, '--project', project], {
    ...user,
    env: environmentOf(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** A test that fails leaves nothing behind either. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

function environmentOf(env: Record<string, string>): NodeJS.ProcessEnv {
  return { ...process.env, ...CLEARED, ...env }
}

/** Runs it to its end. What a command needs a process of its own for is tested with `start` and `ended`. */
export async function nightshift(
  args: string[],
  options: { project: string; env?: Record<string, string> },
): Promise<Finished> {
  const { project, env = {} } = options
  const warm = isSimple(env)
    ? await runWarm({ cli: CLI, args: [...args, '--project', project], env: environmentOf(env) })
    : undefined
  return warm ?? (await ended(start(args, options)))
}

/** What a process that has the program loaded can take on itself; of other variables it may know older values. */
const VARIABLES = ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL']

/** False for the embedded database, other variables, another build, and with `NIGHTSHIFT_TEST_CLI=process`. */
function isSimple(env: Record<string, string>): boolean {
  if (process.env.NIGHTSHIFT_TEST_CLI === 'process' || process.env.NIGHTSHIFT_DIST !== undefined) return false
  return (
    Boolean(env.DATABASE_URL) &&
    Object.keys(env).every((name) => VARIABLES.includes(name) || name.startsWith('AWS_'))
  )
}

export function ended(child: ChildProcess): Promise<Finished> {
  const out = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    out.stderr += text
  })
  return new Promise((done) => child.once('close', (code) => done({ code, ...out })))
}

/** Runs it with `--json` and reads what it prints; what it said goes into the error where that is no JSON. */
export async function nightshiftJson(
  args: string[],
  options: { project: string; env?: Record<string, string> },
  // biome-ignore lint/suspicious/noExplicitAny: what a command prints is read by the test that knows it
): Promise<{ code: number | null; json: any; stderr: string }> {
  const { code, stdout, stderr } = await nightshift([...args, '--json'], options)
  try {
    return { code, json: JSON.parse(stdout), stderr }
  } catch (cause) {
    throw new Error(`nightshift ${args.join(' ')} ended with ${code} and no JSON:\n${stdout}\n${stderr}`, {
      cause,
    })
  }
}
