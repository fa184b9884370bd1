import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { readPostmaster } from './postmaster.ts'
import { chooseLocation } from './server-place.ts'

/**
 * Stops the embedded server of a project, even if it is in use, and deletes its data, including the ledger. Does
 * nothing if there is none. A server of DATABASE_URL is never touched.
 */
export async function removeDatabase(root: string): Promise<void> {
  if (!existsSync(root)) return
  const location = chooseLocation(root)
  const found = readPostmaster(location.data)
  if (found.state === 'running') {
    process.kill(found.pid, 'SIGQUIT') // immediate shutdown: nothing is kept
    for (let waited = 0; readPostmaster(location.data).state === 'running' && waited < 10_000; waited += 20) {
      await sleep(20)
    }
  }
  if (location.folder !== location.note) await removeServerFolder(location.folder)
  await removeServerFolder(location.note)
}

/** Removes the folder of a server that was stopped; retried, since its keeper or its last processes may still write. */
export function removeServerFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
}
