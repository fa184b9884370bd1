import type { ClientBase, Pool } from 'pg'
import { findRun, type Run } from '../../ledger/nights/run-records.ts'
import { findSlot, type Slot } from '../../ledger/nights/slots.ts'
import { type ModelVersions, versionsOf } from '../../registry/model-versions.ts'
import type { FailureFacts } from './incident-facts.ts'
import { badNights, type Incident } from './incident-record.ts'

/** An incident as the ledger is now. */
export interface PresentIncident {
  facts: FailureFacts
  /** The newest night that is still bad, and its latest run; undefined if there is none. */
  slot: Slot | undefined
  run: Run | undefined
}

/**
 * What is true of an incident now. Its own facts are those of its last mail: since then the night may have been run again, or
 * another version gone live, and what they offered would do something else or nothing.
 */
export async function presentIncident(
  connection: ClientBase | Pool,
  { kind, facts, nights }: Pick<Incident, 'kind' | 'facts' | 'nights'>,
): Promise<PresentIncident> {
  const bad = badNights(nights).flatMap((night) => night.partition ?? [])
  const partition = bad.find((each) => each === facts.partition) ?? bad.at(-1)
  const { subject, subjectKind } = facts
  const [slot, versions] = await Promise.all([
    partition === undefined
      ? undefined
      : findSlot(connection, subjectKind === 'model' ? 'scores' : 'features', subject, partition),
    subjectKind === 'model' ? versionsOf(connection, subject) : undefined,
  ])
  const run = slot?.run == null ? undefined : await findRun(connection, slot.run)
  const now: FailureFacts = {
    ...facts,
    versions,
    failure: { ...facts.failure, evidence: presentEvidence(facts, versions) },
  }
  // What was found out about a published night is true of that run, whatever runs now.
  if (slot === undefined || facts.state === 'published') return { facts: now, slot, run }
  const ownFailure = run?.failure?.class === kind ? run.failure : undefined
  return {
    facts: {
      ...now,
      partition,
      slot: `${subject}:${slot.partition}`,
      run: run?.id ?? facts.run,
      isPinned: run?.pinned ?? facts.isPinned ?? false,
      state: slot.state === 'skipped' ? facts.state : slot.state,
      checks: run === undefined ? facts.checks : run.checks.filter(({ passed }) => !passed),
      ...(ownFailure === undefined ? {} : { failure: { ...now.failure, ...ownFailure } }),
    },
    slot,
    run,
  }
}

/** Which version is live decides what helps against worse quality. */
function presentEvidence(
  { quality, failure: { evidence } }: FailureFacts,
  versions: ModelVersions | undefined,
): Record<string, unknown> {
  if (quality === undefined || versions === undefined) return evidence
  const isLive = versions.live === quality.version
  return {
    ...evidence,
    is_live: isLive,
    can_roll_back: isLive && versions.previous !== null,
    can_retrain: isLive && evidence.can_retrain === true,
  }
}
