import type { Session } from '../../host/session.ts'
import { openChildren } from '../../workers/child/children.ts'
import { findStale } from '../../workers/currency.ts'

/** Why published partitions differ from what a run would compute now, keyed by the run that published them. */
export async function staleAmong(
  { database, project }: Session,
  slots: { published_run: string | null }[],
): Promise<Map<string, string>> {
  const runs = slots.flatMap(({ published_run }) => published_run ?? [])
  if (runs.length === 0) return new Map()
  const children = openChildren({ places: 1, timeouts: () => project.timeouts })
  try {
    return await findStale({ database, children }, project, runs)
  } finally {
    await children.close()
  }
}
