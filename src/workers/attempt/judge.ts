import type { Check } from '../../pipeline/engine/facts.ts'
import { Failure } from '../../pipeline/engine/failure.ts'
import type { Result } from './publication.ts'
import type { Plan } from './resolve.ts'

/**
 * Decides whether the output may be published: undefined if it may. Data that is too old is late and is waited for;
 * any other failed expectation holds the run; scores out of bounds are failures of the model.
 */
export function judge(plan: Plan, result: Result): Failure | undefined {
  const failed = result.checks.filter((check) => !check.passed)
  const broken = failed.filter((check) => check.kind !== 'fresh')
  const [late] = result.late
  if (late !== undefined && broken.length === 0) {
    const others = result.late.length === 1 ? '' : ` (and ${result.late.length - 1} more)`
    return new Failure(
      'late-data',
      `source ${late.source} is late${others}: its newest row is of ${late.newest ?? 'never'}, required is ${late.needed} or later`,
      { evidence: { late: result.late } },
    )
  }
  if (broken.length === 0) return undefined
  // Values that the model does not know are a fault of the features.
  const ofModel = plan.kind === 'scores' && broken.some(({ kind }) => kind !== 'column.unknown')
  return new Failure(ofModel ? 'model' : 'contract', sentence(broken), {
    evidence: { checks: broken.map(({ id, observed, bound }) => ({ id, observed, bound })) },
  })
}

function sentence(failed: Check[]): string {
  const [first, ...rest] = failed
  if (first === undefined) return 'an expectation failed'
  return rest.length === 0 ? first.message : `${first.message} (and ${rest.length} more expectations failed)`
}
