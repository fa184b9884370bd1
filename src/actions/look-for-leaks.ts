import { availableParallelism } from 'node:os'
import type { LeakFacts } from '../pipeline/leaks/check-leaks.ts'
import type { Model, Project, View } from '../project/project.ts'
import type { AsOf } from '../project/time/asof.ts'
import type { Children, TaskOptions } from '../workers/child/children.ts'

/**
 * Searches the training sets of a model on a view for information that would not have been available at night, for
 * `validate --leaks` and as evidence for the readiness gate. If no as-ofs are given, three are chosen. Throws as
 * `checkLeaks` does.
 */
export function lookForLeaks(
  children: Children,
  project: Project,
  model: Model,
  view: View,
  request: { asOfs: AsOf[]; now: string; release: string },
  options?: TaskOptions,
): Promise<LeakFacts> {
  return children.run(
    'leaks',
    {
      root: project.root,
      model: model.name,
      view,
      sources: model.sources,
      labels: model.labels,
      timezone: project.timezone,
      threads: availableParallelism(),
      ...request,
    },
    options,
  )
}

/** True if any finding is more than a suspicion. */
export function hasLeak({ leaks }: LeakFacts): boolean {
  return leaks.some(({ severity }) => severity === 'error')
}
