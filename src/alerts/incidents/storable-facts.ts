import { bounded, boundedRecord, cut, oneLine } from '../../format/one-line.ts'
import type { ColumnProfile } from '../../pipeline/profile/profile.ts'
import type { DriftFacts, FailureFacts } from './incident-facts.ts'

const MESSAGE = 4000
const MOST = 30

/**
 * Limits facts to what a mail can show, whatever an engine reported (a message of 10 MB, a control character, half an
 * emoji), at most about 50 kB. The run keeps the full text.
 */
export function storable(facts: FailureFacts): FailureFacts {
  return {
    ...facts,
    project: oneLine(facts.project, 100),
    subject: oneLine(facts.subject, 200),
    description: facts.description === undefined ? undefined : oneLine(facts.description, 500),
    owner: oneLine(facts.owner, 254),
    onCall: facts.onCall.slice(0, MOST).map((address) => oneLine(address, 254)),
    consumers: facts.consumers.slice(0, MOST).map((consumer) => oneLine(consumer, 200)),
    failure: {
      class: facts.failure.class,
      message: cut(facts.failure.message, MESSAGE),
      anchor: oneLine(facts.failure.anchor, 100),
      evidence: boundedRecord(facts.failure.evidence),
    },
    ...(facts.drift === undefined ? {} : { drift: storableDrift(facts.drift) }),
    attempts: facts.attempts.slice(-10).map((attempt) => ({
      ...attempt,
      outcome: oneLine(attempt.outcome, 100),
      message: attempt.message === undefined ? undefined : oneLine(attempt.message, 500),
    })),
    checks: facts.checks.slice(0, 10).map((check) => ({
      ...check,
      message: cut(check.message, 500),
      observed: scalar(check.observed),
      bound: scalar(check.bound),
      samples: check.samples.slice(0, 3).map((row) => texts(row)),
    })),
  }
}

/** Column names and values come from the data: any text, of any length. Figures are already numbers. */
function storableDrift(drift: DriftFacts): DriftFacts {
  const named = <T extends { column: string; note: string | null }>(column: T): T => ({
    ...column,
    column: oneLine(column.column, 100),
    note: column.note === null ? null : oneLine(column.note, 300),
  })
  return {
    ...drift,
    reference: oneLine(drift.reference, 300),
    note: drift.note === null ? null : oneLine(drift.note, 500),
    moved: drift.moved.slice(0, MOST).map(named),
    score: drift.score === null ? null : named(drift.score),
    slices: drift.slices.slice(0, MOST).map((slice) => ({
      ...slice,
      column: oneLine(slice.column, 100),
      by: oneLine(slice.by, 100),
      value: oneLine(slice.value, 100),
    })),
    segments: drift.segments.slice(0, MOST).map((segment) => oneLine(segment, 100)),
    pictures: drift.pictures.slice(0, 3).map(({ reference, tonight }) => ({
      reference: storableColumn(reference),
      tonight: storableColumn(tonight),
    })),
  }
}

function storableColumn(profile: ColumnProfile): ColumnProfile {
  const column = oneLine(profile.column, 100)
  if (profile.kind === 'number') return { ...profile, column }
  const { known: _, ...rest } = profile
  return {
    ...rest,
    column,
    values: profile.values.map((value) => oneLine(value, 60)),
    unseen_values: profile.unseen_values.map(({ value, count }) => ({ value: oneLine(value, 60), count })),
  }
}

function scalar(value: string | number | null): string | number | null {
  if (typeof value === 'string') return oneLine(value, 200)
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

function texts(row: Record<string, string>): Record<string, string> {
  const entries = Object.entries(row).slice(0, 10)
  return Object.fromEntries(
    entries.map(([key, value]) => [oneLine(key, 100), oneLine(String(bounded(value)), 100)]),
  )
}
