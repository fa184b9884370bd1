import type { View } from '../project/project.ts'

/** What a view's hash covers in addition to its SQL. */
export type Declaration = Pick<View, 'entity' | 'fill' | 'sources'> & {
  /** The project's zone; absent if stored by an earlier build, which wrote UTC for an undeclared zone. */
  timezone?: string
}

export function declarationOf({ entity, fill, sources }: View, timezone: string): Declaration {
  return { entity, fill, sources, timezone }
}
