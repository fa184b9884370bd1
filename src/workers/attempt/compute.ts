import { contentOf, type Run } from '../../ledger/nights/run-records.ts'
import type { FeatureFacts, ScoreFacts } from '../../pipeline/engine/facts.ts'
import type { Progress } from '../child/tasks.ts'
import type { Context } from '../context.ts'
import type { Result } from './publication.ts'
import type { Plan } from './resolve.ts'
import type { Steps } from './steps.ts'

/** Runs the plan in a compute child and waits for its facts, at most as long as the run's timeout. */
export async function compute(
  context: Context,
  plan: Plan,
  job: { lane: 'nightly' | 'backfill'; signal: AbortSignal; steps: Steps; progress: Progress },
): Promise<Result> {
  const options = {
    lane: job.lane,
    signal: job.signal,
    timeoutMs: plan.run.settings.timeout_ms,
    progress: job.progress,
    onUsage: job.steps.used,
  }
  switch (plan.kind) {
    case 'features': {
      const facts = await context.children.run('features', plan.request, options)
      job.steps.add('features', facts.steps)
      return featuresResult(facts, plan.replaces)
    }
    case 'scores': {
      const facts = await context.children.run('scores', plan.request, options)
      job.steps.add('scores', facts.steps)
      return scoresResult(facts, plan.version.view_hash)
    }
  }
}

/** Features as the output of an attempt; `replaces` is the published run that they were compared with. */
export function featuresResult(facts: FeatureFacts, replaces: Run | undefined): Result {
  const content = facts.same && replaces !== undefined ? contentOf(replaces) : null
  return { ...facts, content, identity: facts, summary: null, unknown: [] }
}

/** Scores as the output of an attempt. */
export function scoresResult(facts: ScoreFacts, viewHash: string | null): Result {
  return { ...facts, content: null, viewHash, identity: undefined, sources: {}, inputs: [] }
}
