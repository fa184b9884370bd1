import { counted } from '../../format/numbers.ts'
import type { Run } from '../../ledger/nights/run-records.ts'
import type { Check } from '../../pipeline/engine/facts.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { Result } from './publication.ts'

/**
 * Decides whether the output may be published: undefined if it may. A failed expectation holds the run; scores out of
 * bounds are failures of the model.
 */
export function judge({ kind }: Pick<Run, 'kind'>, result: Result): Failure | undefined {
  const broken = result.checks.filter((check) => !check.passed)
  if (broken.length === 0) return undefined
  // Values that the model does not know are a fault of the features.
  const ofModel = kind === 'scores' && broken.some(({ kind }) => kind !== 'column.unknown')
  return new Failure(ofModel ? 'model' : 'contract', sentence(broken), {
    evidence: { checks: broken.map(({ id, observed, bound }) => ({ id, observed, bound })) },
  })
}

function sentence(failed: Check[]): string {
  const [first, ...rest] = failed
  if (first === undefined) return 'an expectation failed'
  return rest.length === 0
    ? first.message
    : `${first.message} (and ${counted(rest.length, 'more expectation')} failed)`
}
