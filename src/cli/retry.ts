import type { GlobalOptions } from '../cli.ts'
import { transaction } from '../database/database.ts'
import { settingsFor } from '../jobs/request.ts'
import { createRun, findRun, isOver, openRunOf } from '../jobs/runs.ts'
import { lockSlot } from '../jobs/slots.ts'
import { ConfigurationError } from '../project/problem.ts'
import { reportEnd } from './ending.ts'
import { personNamed, runNamed } from './find.ts'
import { follow } from './follow.ts'
import { withSession } from './session.ts'

/** `retry RUN`: a new run of the slot of a failed or held one; what waits for it follows by itself. */
export default function retry(
  [id = '']: string[],
  options: GlobalOptions & { by?: string },
): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const by = personNamed(project, options.by)
    const { run } = await runNamed(database.pool, id)
    const retried = await transaction(database, async (client) => {
      const slot = await lockSlot(client, run.slot)
      const open = await openRunOf(client, slot.id)
      if (open !== undefined) {
        throw new ConfigurationError(
          `run ${run.id} cannot be retried: run ${open.id} of ${run.name} ${run.partition} is ${open.state}`,
        )
      }
      if (slot.run !== run.id) {
        throw new ConfigurationError(
          `run ${run.id} was followed by run ${slot.run}, which is what stands: nightshift show ${slot.run}`,
        )
      }
      if (run.state === 'published') {
        const command = run.kind === 'scores' ? 'run' : 'refresh'
        throw new ConfigurationError(
          `run ${run.id} is published, there is nothing to retry: nightshift ${command} ${run.name} --as-of ${run.partition} --force computes it anew`,
        )
      }
      return createRun(client, slot, {
        trigger: 'retry',
        forced: run.forced,
        version: run.version,
        backfill: run.backfill,
        settings: settingsFor(project, run.kind, run.name),
        by,
      })
    })
    await follow(session, {
      quiet: options.json === true,
      look: async () => {
        const now = await findRun(database.pool, retried)
        return { done: now === undefined || isOver(now), runs: [retried] }
      },
    })
    return reportEnd(session, retried, options)
  })
}
