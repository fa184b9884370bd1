import type { Pool } from 'pg'
import { livingWorkers } from '../../ledger/workers/living-workers.ts'
import { workerFacts } from '../../workers/worker-facts.ts'
import { printLine } from './print.ts'

const SHOWN = 10

/** One line for each worker, as `status` shows them. Prints nothing where there is none. */
export async function printWorkers(pool: Pool): Promise<void> {
  const workers = (await livingWorkers(pool)).map(workerFacts)
  for (const { id, host, version, places, memory, clock, takes } of workers.slice(0, SHOWN)) {
    const size = `${places} ${places === 1 ? 'place' : 'places'}, memory ${memory}`
    printLine(`${id} on ${host}: version ${version}, ${size}, clock ${clock}, takes ${takes}`)
  }
  if (workers.length > SHOWN)
    printLine(`and ${workers.length - SHOWN} more workers: nightshift workers lists them`)
}
