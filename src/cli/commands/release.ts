import { release } from '../../actions/release-run.ts'
import { openHost } from '../../host/host.ts'
import { withSession } from '../../host/session.ts'
import { personNamed } from '../../project/people.ts'
import { setOutlook, tidily } from '../../workers/interruption.ts'
import type { GlobalOptions } from '../command.ts'
import { reportEnd } from '../terminal/ending.ts'
import { runNamed } from '../terminal/find.ts'

/** `release RUN --reason --by`: publishes a held partition; the release is recorded. */
export default function releaseCommand(
  [id = '']: string[],
  options: GlobalOptions & { reason: string; by: string },
): Promise<number> {
  return withSession(options, async (session) => {
    const by = personNamed(session.project, options.by)
    const { run } = await runNamed(session.database.pool, id)
    setOutlook(
      'a committed release is published by the next worker or command; nightshift show prints its state',
    )
    await tidily(async () => {
      const host = await openHost(session, { role: 'command', places: 0, scope: 'requested' })
      try {
        await release(host.context, run, { reason: options.reason, by: by ?? options.by })
      } finally {
        await host.close()
      }
    })
    return reportEnd(session, run.id, options)
  })
}
