/**
 * The compute child, the only process that runs DuckDB and ONNX Runtime. It holds no secrets and no connections: it
 * receives file paths and returns facts. It can be killed at any moment, and exits when its worker is gone (see
 * watchdog.ts).
 */
import { writeFileSync } from 'node:fs'
import { Worker as Thread } from 'node:worker_threads'
import { classify } from '../../pipeline/engine/classify.ts'
import { stackOf } from '../../pipeline/engine/stack.ts'
import { ownProgram } from '../../program/own-files.ts'
import { nameSources } from '../../program/source-names.ts'
import { handlers } from './handlers.ts'
import { followUsage } from './task-usage.ts'
import type { ChildMessage, Progress, TaskMessage, TaskName } from './tasks.ts'

nameSources()

// If memory runs out, the kernel is to kill this process, not its worker or the database. Only Linux has the file.
try {
  writeFileSync('/proc/self/oom_score_adj', '800')
} catch {}

const watchdog = new Thread(ownProgram('workers/child/watchdog.js'), {
  workerData: { parent: process.ppid },
})
watchdog.unref()

process.on('message', (message: TaskMessage) => {
  void perform(message)
})
// A terminal's Ctrl-C reaches the whole process group, but the worker decides when its child ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

async function perform({ id, task, request, temp, bounds }: TaskMessage): Promise<void> {
  if (temp !== undefined) process.env.TMPDIR = temp
  const used = followUsage(bounds)
  const progress: Progress = (text, rows, total) => send({ id, kind: 'progress', text, rows, total })
  try {
    const facts = await handle(task, request, progress)
    send({ id, kind: 'facts', facts, usage: used() })
  } catch (error) {
    const failure = classify(error)
    send({ id, kind: 'failure', failure: failure.toRecord(), stack: stackOf(failure), usage: used() })
  }
}

async function handle(task: TaskName, request: unknown, progress: Progress): Promise<unknown> {
  const handler: (request: never, progress: Progress) => Promise<unknown> = handlers[task]
  return handler(request as never, progress)
}

function send(message: ChildMessage): void {
  // The worker may be gone already; in that case the watchdog ends this process.
  process.send?.(message, undefined, undefined, () => {})
}
