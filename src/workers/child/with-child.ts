import { USUAL_CACHE } from '../../project/amount.ts'
import type { Project } from '../../project/project.ts'
import { tidily } from '../interruption.ts'
import { trimCopiesAdded } from '../objects/trim-added.ts'
import { withObjects } from '../objects/with-objects.ts'
import { type Children, openChildren } from './children.ts'

/**
 * Works with one compute child, which ends with the work. It takes as long as the project's `timeouts` allow,
 * and a place's share of its `memory`. Ctrl-C
 * ends the child at once: what it was asked for fails, and the work comes to its `finally`.
 */
export function withChild<T>(
  project: Pick<Project, 'root' | 'warehouse' | 'timeouts' | 'memory' | 'temp' | 'objects'> | undefined,
  work: (children: Children, stop: AbortSignal) => Promise<T>,
): Promise<T> {
  return tidily(async (stop) => {
    stop.throwIfAborted()
    const children = withObjects(
      openChildren({
        places: 1,
        ...(project === undefined ? {} : { timeouts: () => project.timeouts, memory: () => project }),
      }),
      () => project?.objects ?? USUAL_CACHE,
      project ?? {},
    )
    const close = () => void children.close()
    stop.addEventListener('abort', close, { once: true })
    try {
      return await work(children, stop)
    } finally {
      stop.removeEventListener('abort', close)
      await children.close()
      if (project !== undefined) await trimCopiesAdded(project)
    }
  })
}
