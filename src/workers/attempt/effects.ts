import type { ClientBase } from 'pg'
import type { IncidentFailure } from '../../alerts/incidents/incident-facts.ts'
import { BY_SCHEDULE } from '../../alerts/incidents/incident-record.ts'
import type { Effects } from '../../jobs/reconciler.ts'
import { findRun } from '../../ledger/nights/run-records.ts'
import type { Slot } from '../../ledger/nights/slots.ts'
import { classify } from '../../pipeline/engine/classify.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { Context } from '../context.ts'
import { recordFailure } from './attempt-outcome.ts'
import { finishPublication } from './publication.ts'
import { notifyFailure, notifyRecovery } from './report-night.ts'

/** The planner's actions, carried out by this process. */
export function ledgerEffects(context: Context): Effects {
  const notify = async (client: ClientBase, slot: Slot, failure: IncidentFailure) => {
    const run = slot.run === null ? undefined : await findRun(client, slot.run)
    const state = slot.state === 'skipped' ? 'failed' : slot.state
    await notifyFailure(client, context, { slot, run, checks: [] }, failure, state)
  }
  return {
    async attemptLost(run, attempt) {
      const failure = new Failure('transient', `the worker of attempt ${attempt} was lost`, {
        evidence: { lost: true },
      })
      await recordFailure(context, run, { number: attempt, steps: [] }, failure)
    },
    async finishPublication(id) {
      try {
        await finishPublication(context, id)
      } catch (error) {
        const run = await findRun(context.database.pool, id)
        if (run === undefined) throw error
        await recordFailure(context, run, { number: run.attempt, steps: [] }, classify(error))
      }
    },
    deadlineMissed: (client, slot, message) =>
      notify(client, slot, {
        class: 'deadline',
        message,
        anchor: '#deadline',
        evidence: { deadline: slot.deadline },
      }),
    nightGivenUp: (client, slot, message) =>
      notify(client, slot, { class: 'given-up', message, anchor: '#given-up', evidence: {} }),
    slotFailed: (client, slot, failureClass, message) =>
      notify(
        client,
        { ...slot, state: 'failed' },
        { class: failureClass, message, anchor: `#${failureClass}`, evidence: {} },
      ),
    slotSkipped: (client, slot, reason) =>
      notifyRecovery(client, context, slot, 'skipped', { by: BY_SCHEDULE, reason }),
  }
}
