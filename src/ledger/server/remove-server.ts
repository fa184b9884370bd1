import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { readPostmaster } from './postmaster.ts'
import { choosePlace } from './server-place.ts'

/**
 * Stops the embedded server of a project, even if it is in use, and deletes its data, including the ledger. Does
 * nothing if there is none. A server of DATABASE_URL is never touched.
 */
export async function removeDatabase(root: string): Promise<void> {
  if (!existsSync(root)) return
  const place = choosePlace(root)
  const found = readPostmaster(place.data)
  if (found.state === 'running') {
    process.kill(found.pid, 'SIGQUIT') // immediate shutdown: nothing is kept
    for (let waited = 0; readPostmaster(place.data).state === 'running' && waited < 10_000; waited += 20) {
      await sleep(20)
    }
  }
  if (place.folder !== place.note) await rm(place.folder, { recursive: true, force: true })
  // Retried, since a keeper or a server may write its last line meanwhile.
  await rm(place.note, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}
