import { standstill } from '../../actions/standstill.ts'
import { withSession } from '../../host/session.ts'
import { livingWorkers } from '../../ledger/workers/living-workers.ts'
import { workerFacts } from '../../workers/worker-facts.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'

/** `workers`: the processes that take jobs, as their heartbeats tell. */
export default function workers(_args: string[], options: GlobalOptions): Promise<number> {
  return withSession(options, async ({ project, database }) => {
    const found = await livingWorkers(database.pool)
    if (options.json) printJson(found)
    else {
      const facts = found.map(workerFacts)
      if (facts.length > 0)
        printTable(
          ['worker', 'host', 'version', 'places', 'memory', 'clock', 'takes', 'works on'],
          facts.map((each) => [
            each.id,
            each.host,
            each.version,
            each.places,
            each.memory,
            each.clock,
            each.takes,
            each.worksOn,
          ]),
        )
      for (const sentence of await standstill(database, project)) printLine(sentence)
    }
    return 0
  })
}
