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
  child.once('exit', () => forget(child))
  return child
}

/** A child costs 0.3 s of processor time until it is warm, and commands and pages open one pool after the other. */
const SPARED_MS = 30_000
/** As many as a simulation or a drill uses at once on two processors. An idle child holds some 100 MB. */
const MOST_SPARED = 3

const spares: { child: ChildProcess; timer: NodeJS.Timeout }[] = []

/** Keeps an idle child for the next pool of this process, unless there are enough; the process may end meanwhile, and it with it. */
export function keepSpare(child: ChildProcess): boolean {
  if (spares.length >= MOST_SPARED) return false
  child.unref()
  child.channel?.unref()
  const timer = setTimeout(() => {
    forget(child)
    child.kill('SIGKILL')
  }, SPARED_MS).unref()
  spares.push({ child, timer })
  return true
}

/** A child that an earlier pool left, if one lives: the last, which is the warmest. */
export function takeSpare(): ChildProcess | undefined {
  for (let spare = spares.pop(); spare !== undefined; spare = spares.pop()) {
    clearTimeout(spare.timer)
    if (!spare.child.connected) continue
    spare.child.ref()
    spare.child.channel?.ref()
    return spare.child
  }
  return undefined
}

function forget(child: ChildProcess): void {
  const index = spares.findIndex((spare) => spare.child === child)
  if (index < 0) return
  clearTimeout(spares[index]?.timer)
  spares.splice(index, 1)
}
