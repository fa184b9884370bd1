import type { ClientBase, Pool } from 'pg'

export interface HistoryEntry {
  model: string
  event:
    | 'registered'
    | 'evaluated'
    | 'shadow started'
    | 'shadow stopped'
    | 'promoted'
    | 'rolled back'
    | 'withdrawn'
  version: number
  from_version?: number | null
  by: string | null
  reason: string | null
  evidence: Record<string, unknown>
}

/** Appends to the history, in the transaction of the recorded change. */
export async function record(client: ClientBase, entry: HistoryEntry): Promise<void> {
  await client.query(
    `insert into nightshift.history (model, event, version, from_version, by, reason, evidence)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      entry.model,
      entry.event,
      entry.version,
      entry.from_version ?? null,
      entry.by,
      entry.reason,
      JSON.stringify(entry.evidence),
    ],
  )
}

/** A model's history, oldest first; `at` is ISO 8601 in UTC. */
export async function historyOf(
  connection: ClientBase | Pool,
  model: string,
): Promise<(HistoryEntry & { at: string })[]> {
  const { rows } = await connection.query<HistoryEntry & { at: string }>(
    `select at, model, event, version, from_version, by, reason, evidence
       from nightshift.history where model = $1 order by id`,
    [model],
  )
  return rows
}

/** The changes of a model's champion, oldest first. */
export async function championChanges(
  connection: ClientBase | Pool,
  model: string,
): Promise<(HistoryEntry & { at: string })[]> {
  const entries = await historyOf(connection, model)
  return entries.filter(({ event }) => event === 'promoted' || event === 'rolled back')
}

/**
 * The version that was live before the live one, by a history, oldest first. A rollback undoes the last promotion, so a
 * second one goes further back.
 */
export function liveBefore(history: Pick<HistoryEntry, 'event' | 'version'>[]): number | undefined {
  const live: number[] = []
  for (const { event, version } of history) {
    if (event === 'withdrawn') live.length = 0
    else if (event === 'promoted') live.push(version)
    else if (event === 'rolled back') {
      const known = live.lastIndexOf(version)
      if (known >= 0) live.length = known + 1
      else live.push(version)
    }
  }
  return live.at(-2)
}
