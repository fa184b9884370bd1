import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './postmaster.ts'
import type { Programs } from './programs.ts'
import type { ServerLocation } from './server-place.ts'
import { SERVER_USER, serverEnvironment } from './server-settings.ts'

/**
 * Creates the cluster (0.6 to 0.9 s) if there is none. It is created in a separate folder and renamed, so that it is
 * complete or absent, however this process ends; if two processes create one at once, the slower discards its own.
 * @returns whether it had to be created, or waited for
 */
export async function ensureCluster(location: ServerLocation, programs: Programs): Promise<boolean> {
  if (existsSync(location.cluster)) return false
  await waitForOthers(location)
  if (existsSync(location.cluster)) return true
  const folder = join(location.folder, `new-${process.pid}-${randomBytes(4).toString('hex')}`)
  try {
    await mkdir(folder, { mode: 0o700 })
    const password = join(folder, 'password')
    await writeFile(password, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 })
    if (location.user !== undefined) {
      await chown(password, location.user.uid, location.user.gid)
      await chown(folder, location.user.uid, location.user.gid)
    }
    await initdb(location, programs, join(folder, 'data'), password)
    await rename(folder, location.cluster)
    await syncFolder(location.folder)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    if (!existsSync(location.cluster)) throw error
  }
  return true
}

/** Not a lock: if other processes are creating it already, gives them a moment instead of doing the same work. */
async function waitForOthers(location: ServerLocation): Promise<void> {
  const until = Date.now() + 5_000
  while (Date.now() < until && !existsSync(location.cluster)) {
    const others = await unfinished(location)
    if (!others.some((other) => other.alive && other.age < OLD)) return
    await sleep(25)
  }
}

/** Deletes leftovers of killed processes. A pid may belong to another container: only old folders are deleted. */
export async function sweepUnfinished(location: ServerLocation): Promise<void> {
  for (const { folder, age } of await unfinished(location)) {
    if (age > OLD) await rm(folder, { recursive: true, force: true })
  }
}

const OLD = 60_000

/** Clusters being created, or abandoned while they were. `age` in milliseconds. */
async function unfinished(
  location: ServerLocation,
): Promise<{ folder: string; alive: boolean; age: number }[]> {
  const found = []
  for (const name of await readdir(location.folder)) {
    const pid = /^new-(\d+)-/.exec(name)?.[1]
    if (pid === undefined) continue
    const folder = join(location.folder, name)
    const made = await stat(folder).catch(() => undefined)
    if (made !== undefined)
      found.push({ folder, alive: isAlive(Number(pid)), age: Date.now() - made.mtimeMs })
  }
  return found
}

async function initdb(
  location: ServerLocation,
  programs: Programs,
  data: string,
  password: string,
): Promise<void> {
  const child = spawn(
    programs.initdb,
    [
      `--pgdata=${data}`,
      `--username=${SERVER_USER}`,
      `--pwfile=${password}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      // The password has 192 random bits: more rounds would slow down each connection without adding security.
      '--set=scram_iterations=1',
    ],
    { ...location.user, cwd: '/', env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exit, signal) => resolve(exit ?? signal ?? 'unknown'))
  })
  if (code !== 0) {
    throw new Error(
      `the embedded database could not be created in ${location.folder}: initdb ended with ${code}: ${complaints.trim()}`,
    )
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
