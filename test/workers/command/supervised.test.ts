import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCommand } from '../../../src/workers/command/supervised.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightshift-command-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const run = (script: string, { timeoutMs = 60_000, signal = new AbortController().signal } = {}) =>
  runCommand({
    command: [process.execPath, '-e', script],
    cwd: folder,
    env: { GIVEN: 'yes' },
    log: join(folder, 'command.log'),
    timeoutMs,
    signal,
  })
const log = () => readFileSync(join(folder, 'command.log'), 'utf8')

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      process.kill(pid, 0)
    } catch {
      return true
    }
    await sleep(50)
  }
  return false
}

test('a command sees its declared variables and its folder alone; its output is kept', async () => {
  await run('console.log(JSON.stringify(process.env), process.cwd()); console.error("to the errors")')
  expect(log()).toBe(`{"GIVEN":"yes"} ${folder}\nto the errors\n`)
})

test('a command that fails, or is not there, is told with the end of its output', async () => {
  await expect(run('console.log("no column nps"); process.exit(3)')).rejects.toMatchObject({
    failureClass: 'contract',
    message: expect.stringMatching(/ended with exit code 3; its output ends:\nno column nps$/),
  })
  await expect(run('process.kill(process.pid, "SIGSEGV")')).rejects.toThrow('was ended by SIGSEGV')
  const nothing = { cwd: folder, env: {}, log: join(folder, 'x.log'), timeoutMs: 60_000 }
  await expect(
    runCommand({ ...nothing, command: ['no-such-program'], signal: new AbortController().signal }),
  ).rejects.toThrow('`no-such-program` could not be started: spawn no-such-program ENOENT')
})

/** It starts a child of its own, says the ids of both, and does not heed SIGTERM. */
const STUBBORN = `
  const child = require('node:child_process').spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], { stdio: 'inherit' })
  process.on('SIGTERM', () => {})
  setInterval(() => {}, 1000)
  console.log(process.pid, child.pid)`

async function started(): Promise<number[]> {
  for (let tries = 0; tries < 400; tries++) {
    try {
      const pids = /^(\d+) (\d+)$/m.exec(log())
      if (pids !== null) return pids.slice(1).map(Number)
    } catch {
      // The log is not there yet.
    }
    await sleep(50)
  }
  throw new Error('the command did not start')
}

test('a command past its time is ended with everything that it started', async () => {
  const running = run(STUBBORN, { timeoutMs: 4_000 })
  const failed = expect(running).rejects.toMatchObject({
    failureClass: 'resource',
    message: expect.stringContaining('took longer than 4 s and was ended (retrain.timeout in model.yaml)'),
  })
  const pids = await started()
  await failed
  expect(await Promise.all(pids.map(gone))).toEqual([true, true])
})

test('a command that is interrupted is ended likewise', async () => {
  const stop = new AbortController()
  const running = run(STUBBORN, { signal: stop.signal })
  const failed = expect(running).rejects.toThrow('the retraining was interrupted')
  const pids = await started()
  stop.abort()
  await failed
  expect(await Promise.all(pids.map(gone))).toEqual([true, true])
})
