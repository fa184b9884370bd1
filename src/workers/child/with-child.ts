import type { Project } from '../../project/project.ts'
import { type Children, openChildren } from './children.ts'

/** Works with one compute child, which ends with the work. It takes as long as the project's `timeouts` allow. */
export async function withChild<T>(
  project: Pick<Project, 'timeouts'>,
  work: (children: Children) => Promise<T>,
): Promise<T> {
  const children = openChildren({ places: 1, timeouts: () => project.timeouts })
  try {
    return await work(children)
  } finally {
    await children.close()
  }
}
