import { mailOwners } from '../../alerts/delivery/mail-owners.ts'
import { promotedLetter } from '../../alerts/letters/notices/retraining-letter.ts'
import { transaction } from '../../ledger/connection/database.ts'
import { type Retraining, recordAsked } from '../../monitoring/retraining/record.ts'
import type { Model } from '../../project/project.ts'
import { champion } from '../../registry/version-records.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { ProjectLedger } from '../project-ledger.ts'
import { promoteVersion } from '../promote-version.ts'

/**
 * Promotes a retrained version (`retrain.promote: when-ready`) if every item of the gate passes: a waiver excuses a
 * person's promotion, not one that nobody looks at. A version older than the champion is left alone. Returns what came
 * of it, in a sentence.
 */
export async function promoteRetrained(
  ledger: ProjectLedger,
  model: Model,
  retraining: Retraining,
): Promise<string> {
  const { project, database } = ledger
  const { id, version } = retraining
  if (version === null || model.retrain?.promote !== 'when-ready') return 'it is not to be promoted by itself'
  const live = await champion(database.pool, model.name)
  if (live !== undefined && live.version >= version) {
    await recordAsked(database.pool, id, live.version === version)
    return live.version === version ? 'it is the champion' : `version ${live.version} is newer and live`
  }
  const request = { version, by: 'retraining', override: null, takesWaivers: false }
  const { refused } = await withChild(project, (children) => promoteVersion(ledger, model, request, children))
  if (refused !== undefined) {
    await recordAsked(database.pool, id, false)
    const open = refused.items.filter(({ status }) => status !== 'pass').map((item) => item.id)
    return `version ${version} is not ready: ${open.join(', ')}`
  }
  await transaction(database, async (client) => {
    await recordAsked(client, id, true)
    const letter = promotedLetter(model.name, version, live?.version ?? null, retraining.reason)
    await mailOwners(client, project, model, letter)
  })
  return `version ${version} is the champion`
}
