import { bounded, boundedRecord, cut, oneLine } from './clean.ts'
import type { FailureFacts } from './facts.ts'

const MESSAGE = 4000
const MOST = 30

/**
 * Facts as the ledger keeps them: whatever an engine said (a message of 10 MB, a NUL, half an emoji), at most some
 * 50 kB that `jsonb` takes and a mail can show. The run keeps the rest.
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
