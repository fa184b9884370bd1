import type { ClientBase, Pool } from 'pg'

/** Records that are pruned once they are older than a declared time. */
export interface Prunable {
  /** How many may go now: those older than `before` (ISO 8601) that nothing needs any more. */
  count(connection: ClientBase | Pool, before: string): Promise<number>
  /** Prunes at most so many of them, in one statement. @returns how many */
  prune(connection: ClientBase | Pool, before: string, most: number): Promise<number>
}

/** `old` selects the keys of records older than $1 that may go; `prune` removes those of `chosen`. */
export function prunable({ old, prune }: { old: string; prune: string }): Prunable {
  return {
    async count(connection, before) {
      const { rows } = await connection.query<{ n: number }>(`select count(*)::int as n from (${old}) old`, [
        before,
      ])
      return rows[0]?.n ?? 0
    },
    async prune(connection, before, most) {
      const { rowCount } = await connection.query(`with chosen as (${old} limit $2) ${prune}`, [before, most])
      return rowCount ?? 0
    },
  }
}
