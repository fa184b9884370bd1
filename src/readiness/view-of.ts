import type { View } from '../project/project.ts'
import { isSameView } from '../registry/view-identity.ts'
import type { Asked } from './item.ts'

/** The view that a version was registered on, as the project defines it now; or why it is not that view any more. */
export async function viewOf({ project, model, version, children }: Asked): Promise<View | string> {
  const name = version?.view ?? model.view
  const view = project.views[name]
  if (view === undefined) return `view ${name} is gone from features/`
  if (version === undefined) return view
  const identity = await children.run('describe', { root: project.root, view, timezone: project.timezone })
  return isSameView(version.view_hash, identity)
    ? view
    : `features/${name} was edited since version ${version.version} was registered: changed features are a new view`
}
