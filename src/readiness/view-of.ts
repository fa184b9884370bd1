import type { View } from '../project/project.ts'
import { isSameView } from '../registry/view-identity.ts'
import type { Asked } from './item.ts'

/** Several items ask for the view of one version; DuckDB describes it once. */
const known = new WeakMap<Asked, Promise<View | string>>()

/** The view that a version was registered on, as the project defines it now; or why it is not that view any more. */
export function viewOf(asked: Asked): Promise<View | string> {
  const view = known.get(asked) ?? describe(asked)
  known.set(asked, view)
  return view
}

async function describe({ project, model, version, children }: Asked): Promise<View | string> {
  const name = version?.view ?? model.view
  const view = project.views[name]
  if (view === undefined) return `view ${name} is gone from features/`
  if (version === undefined) return view
  const identity = await children.run('describe', { root: project.root, view, timezone: project.timezone })
  return isSameView(version.view_hash, identity)
    ? view
    : `features/${name} was edited since version ${version.version} was registered: changed features are a new view`
}
