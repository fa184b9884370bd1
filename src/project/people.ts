import { ConfigurationError } from './files/problem.ts'
import { unknownName } from './named.ts'
import type { Project, Role } from './project.ts'

/** Roles whose people may change nights, and those whose people also decide what goes live. */
export const MAY = { act: ['operator', 'approver'], promote: ['approver'] } as const satisfies Record<
  string,
  Role[]
>

/** `--by` names one of the project's people who may do this, where it names any. Others are refused with who may. */
export function personNamed(
  project: Pick<Project, 'people'>,
  by: string | undefined,
  what: keyof typeof MAY = 'act',
): string | null {
  if (by === undefined) return null
  const people = Object.keys(project.people)
  if (people.length > 0 && !people.includes(by)) unknownName('person', by, people)
  const role = project.people[by]
  const legal: readonly Role[] = MAY[what]
  if (role === undefined || legal.includes(role)) return by
  const able = people.filter((each) => legal.some((one) => one === project.people[each]))
  throw new ConfigurationError(
    `--by: expected ${legal.map((one) => `an ${one}`).join(' or ')} of nightshift.yaml (${able.join(', ') || 'there is none: add one under people'}), got: ${by}, who is ${role === 'viewer' ? 'a' : 'an'} ${role}`,
  )
}

/** As `personNamed`, for changes of the live version. They need an author wherever the project declares people. */
export function authorNamed(
  project: Pick<Project, 'people'>,
  by: string | undefined,
  command: 'promote' | 'rollback',
): string | null {
  const people = Object.keys(project.people)
  if (people.length > 0 && by === undefined) {
    throw new ConfigurationError(
      `${command}: expected --by WHO, one of the people in nightshift.yaml (${people.join(', ')}): changes of the live version are recorded with their author`,
    )
  }
  return personNamed(project, by, command === 'promote' ? 'promote' : 'act')
}
