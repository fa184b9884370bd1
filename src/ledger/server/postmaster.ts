import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * What `postmaster.pid` in a data folder says, held against the processes that run:
 *
 * absent   there is no file: nothing runs
 * dead     the process it names is gone; PostgreSQL clears this by itself at the next start
 * foreign  the process it names is alive and somebody else's (the pid was used again after a crash or a reboot, or
 *          the folder was copied): PostgreSQL would refuse to start, so whoever starts it clears the file first
 * running  it is ours. `ready` is false while it starts, recovers or stops
 */
export type Postmaster =
  | { state: 'absent' }
  | { state: 'dead' | 'foreign'; pid: number }
  | { state: 'running'; pid: number; port: number; ready: boolean }

export function readPostmaster(data: string): Postmaster {
  let text: string
  try {
    text = readFileSync(join(data, 'postmaster.pid'), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return { state: 'absent' }
    }
    throw error
  }
  // pid, data folder, start time, port, socket folder, address, shared memory, status
  const lines = text.split('\n')
  const pid = Number(lines[0])
  const port = Number(lines[3])
  // PostgreSQL creates the file and writes it in two steps: between them it is empty.
  if (!Number.isInteger(pid) || pid <= 0 || !Number.isInteger(port) || port <= 0) return { state: 'absent' }
  if (!isAlive(pid)) return { state: 'dead', pid }
  if (!isPostmasterOf(pid, data, lines[1] ?? '')) return { state: 'foreign', pid }
  return { state: 'running', pid, port, ready: lines[7]?.trim() === 'ready' }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * Whether the process is a `postgres` that works in this data folder. Its current folder is the proof, since it
 * survives a move of the project; where we may not ask for that (containers without SYS_PTRACE), its command line.
 */
function isPostmasterOf(pid: number, data: string, recorded: string): boolean {
  const command = commandOf(pid)
  // A zombie has no command line: killed, and not collected by its parent.
  if (command === undefined || basename(command[0] ?? '') !== 'postgres') return false
  try {
    const home = statSync(`/proc/${pid}/cwd/.`)
    const ours = statSync(data)
    return home.dev === ours.dev && home.ino === ours.ino
  } catch {
    return command.includes(data) || (command.includes(recorded) && !existsSync(recorded))
  }
}

function commandOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return text === '' ? undefined : text.split('\0')
  } catch {
    if (existsSync('/proc/self/cmdline')) return undefined
  }
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout ? stdout.trim().split(' ') : undefined
}

/**
 * Takes a `postmaster.pid` out of the way that names somebody else's process. Two starters may do so at once, and
 * one may have started a server between the other's look and its deed: so the file is moved aside first, and goes
 * back where it is not the one that was judged.
 */
export function clearForeign(data: string, pid: number): void {
  const file = join(data, 'postmaster.pid')
  const aside = join(data, `postmaster.pid.${randomBytes(4).toString('hex')}`)
  try {
    renameSync(file, aside)
  } catch {
    return // somebody else was faster
  }
  if (Number(readFileSync(aside, 'utf8').split('\n')[0]) !== pid) {
    try {
      linkSync(aside, file)
    } catch {
      // a yet newer server has written its own
    }
  }
  rmSync(aside, { force: true })
}
