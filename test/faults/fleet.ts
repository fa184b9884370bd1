import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { ended, type Finished, start } from '../cli/nightshift.ts'

/** The steps of an attempt at which stop-at.mjs can stop its worker, in their order. */
export const STEPS = [
  'when it has claimed the attempt',
  'while it computes',
  'when it has computed',
  'before the commit',
  'while the commit runs',
  'between commit and rename',
  'between rename and record',
  'once it is recorded as published',
] as const

/** Those of an attempt that is scored in shards, in their order; of features `scores` means that it computes them. */
export const SHARD_STEPS = [
  'when it has split the attempt',
  'when it has claimed a shard',
  'while it scores a shard',
  'when it has scored a shard',
  'once its part is recorded',
  'when it has claimed the join',
  'while it joins the shards',
  'when it has joined the shards',
] as const

/** What happens to the worker of a run. */
export interface Stop {
  step: (typeof STEPS)[number] | (typeof SHARD_STEPS)[number]
  signal: 'SIGKILL' | 'SIGSTOP'
  /** How many attempts of the run it happens to; the others are left alone. */
  attempts: number
}

const Mark = z.object({ pid: z.number(), at: z.number() })
export interface Stopped {
  run: string
  attempt: number
  pid: number
  /** Milliseconds since 1970. */
  at: number
}

/** Workers of one place each, which are replaced when they are gone or stopped, as a service manager does. */
export interface Fleet {
  plan(run: string, stop: Stop): void
  stopped(): Stopped[]
  /**
   * Ends each worker by SIGTERM once it has published something, and starts another, until told to end.
   * @returns how the ended ones ended
   */
  roll(until: () => Promise<boolean>): Promise<Finished[]>
  /** Lets a worker that was stopped go on. It is no longer replaced. */
  continue(stopped: Stopped): void
  /** What a worker has said so far. */
  said(pid: number): string
  close(): Promise<void>
}

export function openFleet(size: number, at: { project: string; env: Record<string, string> }): Fleet {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-test-'))
  const hook = pathToFileURL(join(import.meta.dirname, 'stop-at.mjs'))
  hook.searchParams.set('plan', folder)
  const said = new Map<number, string>()
  const working = new Map<number, { kill(signal: NodeJS.Signals): void; over: Promise<Finished> }>()
  const replaced = new Set<number>()
  let closed = false

  const stopped = (): Stopped[] =>
    readdirSync(folder).flatMap((name) => {
      const [, run, attempt] = /^(.+)-a(\d+)\.stopped$/.exec(name) ?? []
      const text = readFileSync(join(folder, name), 'utf8')
      // It may be being written at this moment.
      if (run === undefined || text === '') return []
      return [{ run, attempt: Number(attempt), ...Mark.parse(JSON.parse(text)) }]
    })
  const hire = () => {
    const child = start(['worker', '--places', '1'], {
      ...at,
      env: { ...at.env, NIGHTSHIFT_LOG: 'info' },
      node: ['--import', hook.href],
    })
    const { pid } = child
    if (pid === undefined) throw new Error('the worker did not start')
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => said.set(pid, `${said.get(pid) ?? ''}${text}`))
    }
    const over = ended(child)
    working.set(pid, { kill: (signal) => void child.kill(signal), over })
    void over.then(() => {
      working.delete(pid)
      replace(pid)
    })
  }
  const replace = (pid: number) => {
    if (closed || replaced.has(pid)) return
    replaced.add(pid)
    hire()
  }
  // A stopped process does not end: it is replaced as soon as it is known to be stopped.
  const watch = setInterval(() => {
    for (const { pid } of stopped()) if (working.has(pid)) replace(pid)
  }, 200)
  for (let worker = 0; worker < size; worker++) hire()

  return {
    plan: (run, stop) => writeFileSync(join(folder, `${run}.json`), JSON.stringify(stop)),
    stopped,
    async roll(until) {
      const gone: Finished[] = []
      while (!(await until())) {
        const [oldest] = [...working].filter(([pid]) => said.get(pid)?.includes('"msg":"published"'))
        if (oldest === undefined) await new Promise((again) => setTimeout(again, 50))
        else {
          oldest[1].kill('SIGTERM')
          gone.push(await oldest[1].over)
        }
      }
      return gone
    },
    continue({ pid }) {
      replaced.add(pid)
      working.get(pid)?.kill('SIGCONT')
    },
    said: (pid) => said.get(pid) ?? '',
    async close() {
      closed = true
      clearInterval(watch)
      const over = [...working.values()].map((worker) => {
        worker.kill('SIGKILL')
        return worker.over
      })
      await Promise.all(over)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
