import { MAY } from '../../../project/people.ts'
import type { Project } from '../../../project/project.ts'
import type { Viewer } from '../../page-context.ts'

/** Which buttons a user sees. The actions ask again. */
export interface Rights {
  viewer: Viewer
  /** May change nights, and add to the evidence. */
  act: boolean
  /** May decide what goes live. */
  promote: boolean
}

/** Undefined for a viewer, who sees no button. Where the project names people, their roles there decide too. */
export function rightsOf({ people }: Pick<Project, 'people'>, viewer: Viewer | null): Rights | undefined {
  if (viewer?.role !== 'operator') return undefined
  // Without sign-in people say who they are, and that name is asked.
  if (viewer.local === true || Object.keys(people).length === 0) return { viewer, act: true, promote: true }
  const role = people[viewer.name]
  const may = (legal: readonly string[]) => role !== undefined && legal.includes(role)
  return { viewer, act: may(MAY.act), promote: may(MAY.promote) }
}
