import type { ClientBase, Pool } from 'pg'
import { historyOf, liveBefore } from './history-records.ts'
import { champion, listVersions } from './version-records.ts'

/** Which versions of a model can be turned to: the live one, the one before it, and the newest one. */
export interface ModelVersions {
  live: number | null
  /** What a rollback would restore. */
  previous: number | null
  newest: number | null
}

export async function versionsOf(connection: ClientBase | Pool, model: string): Promise<ModelVersions> {
  const live = await champion(connection, model)
  const [newest] = await listVersions(connection, model)
  return {
    live: live?.version ?? null,
    previous: live === undefined ? null : (liveBefore(await historyOf(connection, model)) ?? null),
    newest: newest?.version ?? null,
  }
}
