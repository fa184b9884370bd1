import type { ClientBase } from 'pg'
import { recordPostponed } from '../ledger/nights/run-facts.ts'
import { explainSlot } from '../ledger/nights/slot-facts.ts'
import type { Failure } from '../pipeline/engine/failure.ts'
import { type Night, notifyFailure } from './attempt/report-night.ts'
import type { Context } from './context.ts'

const FIRST_MS = 1_000
/** With a round of the planner, a publication completes less than 30 s after its obstacle is gone. */
const LONGEST_MS = 15_000
/** Short disk or ledger errors resolve themselves: they are reported from this try on, about 4 s after the first. */
const PASSING_TRIES = 3

/**
 * A committed partition that could not be moved into place stays `publishing` and is retried as long as it takes:
 * readers keep what they have, and nothing is computed again. It is reported at once, unless the error is transient;
 * the incident closes with the publication. The caller holds the slot's lock.
 * @returns a sentence for the log
 */
export async function postponePublication(
  client: ClientBase,
  context: Pick<Context, 'project' | 'clock' | 'log'>,
  night: Night & { run: NonNullable<Night['run']> },
  failure: Failure,
): Promise<string> {
  const { slot, run } = night
  const before = run.failure?.evidence.publication_tries
  const tries = (typeof before === 'number' ? before : 0) + 1
  const at = new Date(
    (await context.clock(client)).getTime() + Math.min(FIRST_MS * 2 ** (tries - 1), LONGEST_MS),
  )
  const record = { ...failure.toRecord(), evidence: { ...failure.evidence, publication_tries: tries } }
  await recordPostponed(client, run.id, record, at)
  await explainSlot(client, slot.id, failure.message)
  if (failure.failureClass !== 'transient' || tries >= PASSING_TRIES) {
    await notifyFailure(client, context, night, record, 'publishing')
  }
  return `is committed but not published yet; next try at ${at.toISOString()}: ${failure.message}`
}
