import { sortAddresses } from '../../alerts/delivery/address.ts'
import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { enqueue } from '../../alerts/delivery/enqueue-mail.ts'
import { promotedLetter } from '../../alerts/letters/retraining-letter.ts'
import { transaction } from '../../ledger/connection/database.ts'
import { ledgerNow } from '../../ledger/connection/ledger-clock.ts'
import { type Retraining, recordAsked } from '../../monitoring/retraining/record.ts'
import type { Model } from '../../project/project.ts'
import { champion } from '../../registry/version-records.ts'
import { withChild } from '../../workers/child/with-child.ts'
import { askGate } from '../ask-gate.ts'
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
  const open = await withChild(project, async (children) => {
    const gate = await askGate(ledger, model, version, children)
    const lacking = gate.items.filter(({ status }) => status !== 'pass').map((item) => item.id)
    if (lacking.length > 0) return lacking
    const request = { version, by: 'retraining', override: null }
    const { refused } = await promoteVersion(ledger, model, request, children)
    return refused?.items.filter(({ status }) => status === 'fail').map((item) => item.id) ?? []
  })
  if (open.length > 0) {
    await recordAsked(database.pool, id, false)
    return `version ${version} is not ready: ${open.join(', ')}`
  }
  const settings = alertSettings(project)
  await transaction(database, async (client) => {
    await recordAsked(client, id, true)
    const now = await ledgerNow(client)
    const { subject, letter } = promotedLetter(model.name, version, live?.version ?? null, retraining.reason)
    for (const recipient of sortAddresses([model.owner, ...model.on_call]).addresses)
      await enqueue(client, now, { recipient, subject, letter }, settings)
  })
  return `version ${version} is the champion`
}
