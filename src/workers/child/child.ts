/**
 * The compute child: DuckDB and ONNX Runtime live here, and nothing else does. It holds no secret and no
 * connection; it is given files and gives facts. It may be ended at any moment, and ends itself when its
 * worker is gone (see watchdog.ts).
 */
import { Worker as Thread } from 'node:worker_threads'
import { classify } from '../../pipeline/engine/classify.ts'
import { handlers } from './handlers.ts'
import type { ChildMessage, Progress, TaskMessage, TaskName } from './tasks.ts'

const watchdog = new Thread(new URL('../../../dist/workers/child/watchdog.js', import.meta.url), {
  workerData: { parent: process.ppid },
})
watchdog.unref()

process.on('message', (message: TaskMessage) => {
  void perform(message)
})
// A terminal's Ctrl-C reaches the whole process group: the worker decides when its child ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

async function perform({ id, task, request }: TaskMessage): Promise<void> {
  const progress: Progress = (text, rows, total) => send({ id, kind: 'progress', text, rows, total })
  try {
    send({ id, kind: 'facts', facts: await handle(task, request, progress) })
  } catch (error) {
    const failure = classify(error)
    send({ id, kind: 'failure', failure: failure.toRecord(), stack: failure.stack ?? failure.message })
  }
}

async function handle(task: TaskName, request: unknown, progress: Progress): Promise<unknown> {
  const handler: (request: never, progress: Progress) => Promise<unknown> = handlers[task]
  return handler(request as never, progress)
}

function send(message: ChildMessage): void {
  // The worker may be gone already; the watchdog ends this process then.
  process.send?.(message, undefined, undefined, () => {})
}
