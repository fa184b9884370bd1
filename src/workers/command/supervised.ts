import { fork } from 'node:child_process'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { duration } from '../../format/elapsed.ts'
import { oneLine } from '../../format/one-line.ts'
import { bytes } from '../../format/sizes.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import { ownProgram } from '../../program/own-files.ts'

export interface SuperviseMessage {
  command: string[]
  cwd: string
  env: Record<string, string>
}

export interface CommandRequest extends SuperviseMessage {
  /** Its output and its errors, in the order in which they are written. */
  log: string
  timeoutMs: number
  signal: AbortSignal
}

const PROGRAM = ownProgram('workers/command/supervise.js')
/** Of the log, this much is quoted where the command failed. */
const QUOTED = 2_000
/** From the request to end until the supervisor is ended itself. */
const PATIENCE_MS = 10_000
/** A command that prints more than this has run wild: its log would fill the disk of the warehouse. */
const LARGEST_LOG = 256 * 2 ** 20
const LOOK_MS = 1_000

type Answer = { error: string } | { code: number | null; signal: NodeJS.Signals | null }

/**
 * Runs a command in a process group of its own, with these variables alone, its output in a file, until it ends or its
 * time is over. Throws a `contract` Failure that quotes the end of its output where it fails.
 */
export async function runCommand(request: CommandRequest): Promise<void> {
  const { command, cwd, env, log, timeoutMs, signal } = request
  signal.throwIfAborted()
  const output = openSync(log, 'a', 0o600)
  const supervisor = fork(PROGRAM, [], {
    stdio: ['ignore', output, output, 'ipc'],
    env: { PATH: process.env.PATH },
    execArgv: [],
  })
  closeSync(output)
  let ending: Failure | undefined
  const end = (failure: Failure) => {
    if (ending !== undefined) return
    ending = failure
    if (supervisor.connected) supervisor.send('end', () => {})
    setTimeout(() => supervisor.kill('SIGKILL'), PATIENCE_MS).unref()
  }
  const timer = setTimeout(() => end(tookTooLong(command, timeoutMs)), Math.min(timeoutMs, 2 ** 31 - 1))
  const onAbort = () =>
    end(new Failure('transient', 'the retraining was interrupted', { evidence: { closing: true } }))
  signal.addEventListener('abort', onAbort, { once: true })
  const look = setInterval(() => {
    if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LARGEST_LOG) end(printedTooMuch(command))
  }, LOOK_MS)
  try {
    const answer = await new Promise<Answer | undefined>((resolve) => {
      let answer: Answer | undefined
      supervisor.on('message', (message: Answer) => {
        answer = message
      })
      supervisor.on('error', () => {})
      supervisor.once('exit', () => resolve(answer))
      supervisor.send({ command, cwd, env } satisfies SuperviseMessage, () => {})
    })
    if (ending !== undefined) throw ending
    const how = howItEnded(answer)
    if (how !== undefined) {
      throw new Failure('contract', `the command ${shown(command)} ${how}${quoted(log)}`, {
        evidence: { command: command.join(' ') },
      })
    }
  } finally {
    clearTimeout(timer)
    clearInterval(look)
    signal.removeEventListener('abort', onAbort)
  }
}

/** Undefined: it succeeded. */
function howItEnded(answer: Answer | undefined): string | undefined {
  if (answer === undefined) return 'ended together with the process that watched it'
  if ('error' in answer) return `could not be started: ${answer.error}`
  if (answer.code === 0) return undefined
  return answer.signal === null ? `ended with exit code ${answer.code}` : `was ended by ${answer.signal}`
}

function tookTooLong(command: string[], timeoutMs: number): Failure {
  return new Failure(
    'resource',
    `the command ${shown(command)} took longer than ${duration(timeoutMs)} and was ended (retrain.timeout in model.yaml)`,
  )
}

function printedTooMuch(command: string[]): Failure {
  return new Failure(
    'contract',
    `the command ${shown(command)} printed more than ${bytes(LARGEST_LOG)} and was ended`,
  )
}

function shown(command: string[]): string {
  return `\`${oneLine(command.join(' '), 200)}\``
}

/** The end of the log. */
function quoted(log: string): string {
  const { size } = statSync(log)
  if (size === 0) return ', and printed nothing'
  const end = Buffer.alloc(Math.min(size, QUOTED))
  const file = openSync(log, 'r')
  try {
    readSync(file, end, 0, end.length, size - end.length)
  } finally {
    closeSync(file)
  }
  return `; its output ends:\n${end.toString('utf8').trim()}`
}
