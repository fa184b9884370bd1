import { MAY } from '../../project/people.ts'
import type { Project } from '../../project/project.ts'
import type { Viewer } from '../page-context.ts'

/** Which buttons a user sees. The actions ask again. */
export interface Rights {
  viewer: Viewer
  /** May change nights, and add to the evidence. */
  act: boolean
  /** May decide what goes live. */
  promote: boolean
}

type People = Pick<Project, 'people'>

/** Undefined for a viewer, who sees no button. Where the project names people, their roles there decide too. */
export function rightsOf(project: People, viewer: Viewer | null): Rights | undefined {
  if (viewer?.role !== 'operator') return undefined
  // Without sign-in people say who they are, and that name is asked.
  if (viewer.local === true) return { viewer, act: true, promote: true }
  const may = (what: keyof typeof MAY) => isAllowed(project, viewer.name, what)
  return { viewer, act: may('act'), promote: may('promote') }
}

/** Why a user sees no buttons, and who does; undefined where they see all of them. */
export function withoutButtons(project: People, viewer: Viewer | null): string | undefined {
  const rights = rightsOf(project, viewer)
  if (rights === undefined) return forOperators(viewer)
  if (rights.act && rights.promote) return undefined
  const what = rights.act ? 'promote' : 'act'
  const others = rights.viewer.operators.filter((name) => isAllowed(project, name, what))
  const lacks = rights.act ? 'is no approver, so there is no button to promote' : 'may change nothing'
  return `By the people in nightshift.yaml ${rights.viewer.name} ${lacks}. Who may: ${namesOf(others)}.`
}

/** What a viewer reads in place of buttons. */
export function forOperators(viewer: Viewer | null): string {
  return `Buttons are for operators: ${namesOf(viewer?.operators)}.`
}

function isAllowed({ people }: People, name: string, what: keyof typeof MAY): boolean {
  if (Object.keys(people).length === 0) return true
  const legal: readonly string[] = MAY[what]
  const role = people[name]
  return role !== undefined && legal.includes(role)
}

function namesOf(names: string[] = []): string {
  return names.join(', ') || 'there is none so far'
}
