import { figure, figureBeside } from '../../format/numbers.ts'
import type { Requirement } from '../../project/project.ts'
import { LESS_IS_BETTER, METRICS, type Metric } from '../../project/schema/metric.ts'
import type { EvaluationFacts } from './evaluate-dataset.ts'

export interface RequirementCheck {
  metric: string
  kind: 'min' | 'max' | 'max_drop'
  passed: boolean
  observed: number | null
  bound: number
  message: string
}

/** `evaluation.require` against what was measured. A figure that cannot be computed fails. */
export function checkRequirements(
  require: Partial<Record<Metric, Requirement>>,
  facts: Pick<EvaluationFacts, 'metrics' | 'against_champion' | 'kind'>,
  champion: number | null,
): RequirementCheck[] {
  return Object.entries(require).flatMap(([name, requirement]) => {
    const metric = metricNamed(name)
    const observed = metric === undefined ? null : (facts.metrics[metric] ?? null)
    const { min, max, max_drop } = requirement ?? {}
    const checks: RequirementCheck[] = []
    const say = (bound: number) =>
      observed === null ? 'none, it cannot be computed from the sample' : figureBeside(observed, bound)
    if (min !== undefined) {
      const passed = observed !== null && observed >= min
      checks.push({
        metric: name,
        kind: 'min',
        passed,
        observed,
        bound: min,
        message: `${name}: expected at least ${min}, got: ${say(min)}`,
      })
    }
    if (max !== undefined) {
      const passed = observed !== null && observed <= max
      checks.push({
        metric: name,
        kind: 'max',
        passed,
        observed,
        bound: max,
        message: `${name}: expected at most ${max}, got: ${say(max)}`,
      })
    }
    if (max_drop !== undefined && metric !== undefined) checks.push(drop(metric, max_drop, facts, champion))
    return checks
  })
}

function drop(
  metric: Metric,
  bound: number,
  { against_champion: against }: Pick<EvaluationFacts, 'against_champion'>,
  champion: number | null,
): RequirementCheck {
  const check = { metric, kind: 'max_drop', bound } as const
  if (champion === null) {
    return { ...check, passed: true, observed: null, message: `${metric}: no champion to compare with` }
  }
  const value = against?.difference[metric]?.value ?? null
  if (value === null) {
    const message = `${metric}: expected at most ${bound} worse than version ${champion}, got: no comparison, because that version cannot score these rows`
    return { ...check, passed: false, observed: null, message }
  }
  const worse = LESS_IS_BETTER.has(metric) ? value : -value
  return {
    ...check,
    passed: worse <= bound,
    observed: worse,
    message: `${metric}: expected at most ${bound} worse than version ${champion}, got: ${worse > 0 ? `${figureBeside(worse, bound)} worse` : `${figure(-worse)} better`}`,
  }
}

function metricNamed(name: string): Metric | undefined {
  return METRICS.find((each) => each === name)
}
