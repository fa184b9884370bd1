/**
 * Runs one command of the team's in a process group of its own, and ends that group when it is told to or when the process
 * that started this one is gone, however that ended. It holds no secret and no connection.
 */
import { spawn } from 'node:child_process'
import type { SuperviseMessage } from './supervised.ts'

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 5_000

process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

process.once('message', (message: SuperviseMessage) => {
  const { command, cwd, env } = message
  const [program = '', ...args] = command
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'inherit', 'inherit'] })
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name)
    } catch {
      // The group is gone.
    }
  }
  let grace: NodeJS.Timeout | undefined
  const end = () => {
    signal('SIGTERM')
    grace ??= setTimeout(() => signal('SIGKILL'), GRACE_MS)
  }
  const answer = (facts: object) => {
    // What the command left running in its group ends with it.
    signal('SIGKILL')
    clearTimeout(grace)
    if (process.connected) process.send?.(facts, undefined, undefined, () => process.disconnect())
  }
  process.on('message', end)
  process.on('disconnect', () => {
    if (child.exitCode === null && child.signalCode === null) end()
  })
  child.once('error', (error) => answer({ error: error.message }))
  child.once('exit', (code, by) => answer({ code, signal: by }))
})
