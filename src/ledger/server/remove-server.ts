import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { readPostmaster } from './postmaster.ts'
import { choosePlace } from './server-place.ts'

/**
 * Ends the embedded server of a project, whoever uses it, and deletes its data: the ledger is gone. Does nothing
 * where there is none. What a DATABASE_URL names is never touched.
 */
export async function removeDatabase(root: string): Promise<void> {
  if (!existsSync(root)) return
  const place = choosePlace(root)
  const found = readPostmaster(place.data)
  if (found.state === 'running') {
    process.kill(found.pid, 'SIGQUIT') // at once: nothing of it is kept
    for (let waited = 0; readPostmaster(place.data).state === 'running' && waited < 10_000; waited += 20) {
      await sleep(20)
    }
  }
  if (place.folder !== place.note) await rm(place.folder, { recursive: true, force: true })
  // Again where a keeper or a server wrote its last line in between.
  await rm(place.note, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}
