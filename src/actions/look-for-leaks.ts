import { availableParallelism } from 'node:os'
import type { LeakFacts } from '../pipeline/leaks/check-leaks.ts'
import type { Model, Project, View } from '../project/project.ts'
import type { AsOf } from '../project/time/asof.ts'
import type { Children, TaskOptions } from '../workers/child/children.ts'

/**
 * Looks for what training sets of a model on a view would know that no night could: for `validate --leaks`, and as
 * evidence of the readiness gate. Without as-ofs three are chosen. Throws as `checkLeaks` does.
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

/** True where something was found that is no mere suspicion. */
export function hasLeak({ leaks }: LeakFacts): boolean {
  return leaks.some(({ severity }) => severity === 'error')
}
