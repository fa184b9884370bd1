import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

/**
 * State of the server according to `postmaster.pid` in a data folder and the running processes:
 *
 * absent   there is no file: nothing runs
 * dead     the process in the file is gone; PostgreSQL cleans this up at the next start
 * foreign  the process in the file is a different program (the pid was reused after a crash or a reboot, or
 *          the folder was copied): PostgreSQL would refuse to start, so the file is removed before a start
 * running  it is our server. `ready` is false while it starts, recovers or stops
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
 * survives a move of the project; if reading it is not permitted (containers without SYS_PTRACE), its command line is
 * used.
 */
function isPostmasterOf(pid: number, data: string, recorded: string): boolean {
  const command = commandOf(pid)
  // A zombie has no command line: it was killed but not reaped by its parent.
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
 * Removes a `postmaster.pid` that names a foreign process. Two starters may do so at once, and one may have started a
 * server between the other's check and its removal: so the file is renamed first, and restored if it is not the one
 * that was checked.
 */
export function clearForeign(data: string, pid: number): void {
  const file = join(data, 'postmaster.pid')
  const renamed = join(data, `postmaster.pid.${randomBytes(4).toString('hex')}`)
  try {
    renameSync(file, renamed)
  } catch {
    return // another process was faster
  }
  if (Number(readFileSync(renamed, 'utf8').split('\n')[0]) !== pid) {
    try {
      linkSync(renamed, file)
    } catch {
      // an even newer server has written its own
    }
  }
  rmSync(renamed, { force: true })
}
