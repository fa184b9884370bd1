import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { reportRecovery } from '../../alerts/incidents/report-incident.ts'
import { transaction } from '../../ledger/connection/database.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import { lockSlot } from '../../ledger/nights/slots.ts'
import type { ParityFacts } from '../../pipeline/parity/parity-facts.ts'
import { notifyChecked, notifyFailure } from '../../workers/attempt/report-night.ts'
import type { Context } from '../../workers/context.ts'
import { describeParity, evidenceOf } from './parity-words.ts'
import { recordCertificate } from './record.ts'

/** The part of a comparison that a certificate stores: figures for every column, examples for differing ones. */
export function certificateReport(facts: ParityFacts): Record<string, unknown> {
  return { ...facts, by_column: facts.by_column.map((column) => ({ ...column })) }
}

/**
 * Records a comparison of a run with the training path, and what follows. Where training and serving agree, the night's
 * parity incident is closed. `isOwn`: it is the comparison that follows the night, or takes its place; then the night is no
 * longer unchecked, and an incident is opened where they disagree. Nothing is recorded of a run that has been replaced.
 */
export async function recordComparison(
  context: Pick<Context, 'database' | 'project' | 'clock' | 'log'>,
  run: Run,
  facts: ParityFacts,
  { isOwn }: { isOwn: boolean },
): Promise<void> {
  await transaction(context.database, async (client) => {
    const slot = await lockSlot(client, run.slot)
    if (slot.published_run !== run.id) return
    await recordCertificate(client, {
      run: run.id,
      view: run.name,
      as_of: run.as_of,
      partition: run.partition,
      against: facts.against,
      differing: facts.differing,
      report: certificateReport(facts),
    })
    if (isOwn) await notifyChecked(client, context, slot, run)
    if (facts.differing === 0) {
      await reportRecovery(
        client,
        await context.clock(client),
        {
          subject: slot.name,
          subjectKind: 'view',
          partition: slot.partition,
          kinds: ['parity'],
          how: 'passed',
          run: run.id,
          rows: run.rows ?? undefined,
          by: undefined,
          lastGood: undefined,
        },
        alertSettings(context.project()),
      )
    } else if (isOwn) {
      const failure = {
        class: 'parity',
        message: describeParity(facts),
        anchor: '#parity',
        evidence: evidenceOf(facts),
      } as const
      await notifyFailure(client, context, { slot, run, checks: [] }, failure, 'published')
    }
  })
}
