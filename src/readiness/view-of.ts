import type { ViewDescription } from '../pipeline/features/describe-view.ts'
import type { View } from '../project/project.ts'
import { isSameView } from '../registry/view-identity.ts'
import type { Asked } from './item.ts'

/** Several items ask for the same view; DuckDB describes it once. */
const known = new WeakMap<Asked, Map<View, Promise<ViewDescription>>>()

export function describedOnce(asked: Asked, view: View): Promise<ViewDescription> {
  const { project, children } = asked
  const views = known.get(asked) ?? new Map<View, Promise<ViewDescription>>()
  known.set(asked, views)
  const described =
    views.get(view) ?? children.run('describe', { root: project.root, view, timezone: project.timezone })
  views.set(view, described)
  return described
}

/** The view that a version was registered on, as the project defines it now; or why it is not that view any more. */
export async function viewOf(asked: Asked): Promise<View | string> {
  const { project, model, version } = asked
  const name = version?.view ?? model.view
  const view = project.views[name]
  if (view === undefined) return `view ${name} is gone from features/`
  if (version === undefined) return view
  const identity = await describedOnce(asked, view)
  return isSameView(version.view_hash, identity)
    ? view
    : `features/${name} was edited since version ${version.version} was registered: changed features are a new view`
}
