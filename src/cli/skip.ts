import type { GlobalOptions } from '../cli.ts'
import { transaction } from '../database/database.ts'
import { openRunOf } from '../jobs/runs.ts'
import { findSlot, lockSlot } from '../jobs/slots.ts'
import { parseAsOf } from '../project/asof.ts'
import { ConfigurationError } from '../project/problem.ts'
import { tellRecovery } from '../workers/report.ts'
import { personNamed } from './find.ts'
import { postIfAlone } from './post.ts'
import { printJson, printLine } from './print.ts'
import { withSession } from './session.ts'

/** `skip NAME:AS-OF --reason`: gives a slot up; its incident is cleared. */
export default function skip(
  [text = '']: string[],
  options: GlobalOptions & { reason: string; by?: string },
): Promise<number> {
  return withSession(options, async (session) => {
    const { project, database } = session
    const by = personNamed(project, options.by)
    const [name = '', label = ''] = text.split(/:(.*)/s)
    const kind =
      project.models[name] !== undefined
        ? 'scores'
        : project.views[name] !== undefined
          ? 'features'
          : undefined
    if (kind === undefined) {
      const names = [...Object.keys(project.models), ...Object.keys(project.views)]
      throw new ConfigurationError(
        `skip: expected NAME:AS-OF with a model or view of this project (${names.join(', ')}), got: ${text}`,
      )
    }
    const found = await findSlot(database.pool, kind, name, parseAsOf(label, project.timezone))
    if (found === undefined)
      throw new ConfigurationError(`skip: there is no slot ${text}: \`nightshift status\` lists them`)
    await transaction(database, async (client) => {
      const slot = await lockSlot(client, found.id)
      const open = await openRunOf(client, slot.id)
      if (open?.state === 'running' || open?.state === 'publishing') {
        throw new ConfigurationError(
          `skip: run ${open.id} of ${text} is ${open.state}: wait until it has ended`,
        )
      }
      if (slot.state === 'published')
        throw new ConfigurationError(`skip: ${text} is published, there is nothing to skip`)
      await client.query(
        `update nightshift.runs set state = 'cancelled', reason = $2, ended_at = now() where slot = $1 and state in ('queued', 'waiting')`,
        [slot.id, options.reason],
      )
      await client.query(
        `update nightshift.slots set state = 'skipped', reason = $2, request = null, changed_at = now() where id = $1`,
        [slot.id, options.reason],
      )
      await tellRecovery(client, { project: () => project, clock: () => new Date() }, slot, 'skipped', { by })
    })
    await postIfAlone(session)
    if (options.json) printJson({ slot: text, state: 'skipped', reason: options.reason })
    else printLine(`${text} is skipped: ${options.reason}`)
    return 0
  })
}
