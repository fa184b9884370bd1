import { type ChildProcess, fork } from 'node:child_process'
import { ownProgram } from '../../program/own-files.ts'

const PROGRAM = ownProgram('workers/child/child.js')

/** Starts a compute child: without secrets, and without what would make it send anything. */
export function startChild(): ChildProcess {
  const child = fork(PROGRAM, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      TZ: 'UTC',
      TMPDIR: process.env.TMPDIR,
      LANG: 'C.UTF-8',
      // ONNX Runtime would keep a database under the home folder and report to its vendor.
      ORT_DISABLE_TELEMETRY: '1',
    },
  })
  // Without a listener, sending to a dead child would end the worker; the task learns of it by 'exit'.
  child.on('error', () => {})
  child.once('exit', () => {
    if (spare?.child === child) takeSpare()
  })
  return child
}

/** A child costs 0.3 s of processor time until it is warm, and commands and pages open one pool after the other. */
const SPARED_MS = 30_000

let spare: { child: ChildProcess; timer: NodeJS.Timeout } | undefined

/** Keeps an idle child for the next pool of this process, unless there is one; the process may end meanwhile, and it with it. */
export function keepSpare(child: ChildProcess): boolean {
  if (spare !== undefined) return false
  child.unref()
  child.channel?.unref()
  const timer = setTimeout(() => takeSpare()?.kill('SIGKILL'), SPARED_MS).unref()
  spare = { child, timer }
  return true
}

/** The child that an earlier pool left, if it lives. */
export function takeSpare(): ChildProcess | undefined {
  if (spare === undefined) return undefined
  const { child, timer } = spare
  spare = undefined
  clearTimeout(timer)
  if (!child.connected) return undefined
  child.ref()
  child.channel?.ref()
  return child
}
