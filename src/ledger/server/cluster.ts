import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chown, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './postmaster.ts'
import type { Programs } from './programs.ts'
import type { Place } from './server-place.ts'
import { SERVER_USER, serverEnvironment } from './server-settings.ts'

/**
 * Makes the cluster (0.6 to 0.9 s) where there is none. It is made in a folder beside and renamed, so that it is
 * there whole or not at all, however this process ends; of two that make one at once the slower throws its own away.
 * @returns whether it had to be made, or waited for
 */
export async function ensureCluster(place: Place, programs: Programs): Promise<boolean> {
  if (existsSync(place.cluster)) return false
  await waitForOthers(place)
  if (existsSync(place.cluster)) return true
  const folder = join(place.folder, `new-${process.pid}-${randomBytes(4).toString('hex')}`)
  try {
    await mkdir(folder, { mode: 0o700 })
    const password = join(folder, 'password')
    await writeFile(password, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 })
    if (place.user !== undefined) {
      await chown(password, place.user.uid, place.user.gid)
      await chown(folder, place.user.uid, place.user.gid)
    }
    await initdb(place, programs, join(folder, 'data'), password)
    await rename(folder, place.cluster)
    await syncFolder(place.folder)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    if (!existsSync(place.cluster)) throw error
  }
  return true
}

/** A hint, not a lock: where others are at it already, gives them a moment instead of doing the same work. */
async function waitForOthers(place: Place): Promise<void> {
  const until = Date.now() + 5_000
  while (Date.now() < until && !existsSync(place.cluster)) {
    const others = await unfinished(place)
    if (!others.some((other) => other.alive && other.age < OLD)) return
    await sleep(25)
  }
}

/** Deletes what killed processes have left. A pid may be one of another container's: only what is old goes. */
export async function sweepUnfinished(place: Place): Promise<void> {
  for (const { folder, age } of await unfinished(place)) {
    if (age > OLD) await rm(folder, { recursive: true, force: true })
  }
}

const OLD = 60_000

/** Clusters that somebody makes, or was making. `age` in milliseconds. */
async function unfinished(place: Place): Promise<{ folder: string; alive: boolean; age: number }[]> {
  const found = []
  for (const name of await readdir(place.folder)) {
    const pid = /^new-(\d+)-/.exec(name)?.[1]
    if (pid === undefined) continue
    const folder = join(place.folder, name)
    const made = await stat(folder).catch(() => undefined)
    if (made !== undefined)
      found.push({ folder, alive: isAlive(Number(pid)), age: Date.now() - made.mtimeMs })
  }
  return found
}

async function initdb(place: Place, programs: Programs, data: string, password: string): Promise<void> {
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
      // The password is 192 random bits: more rounds would make each connection slower and nothing safer.
      '--set=scram_iterations=1',
    ],
    { ...place.user, cwd: '/', env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] },
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
      `the embedded database could not be made in ${place.folder}: initdb ended with ${code}: ${complaints.trim()}`,
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
