import type { Connection } from './slots.ts'

/** A publication at a night's stable name. */
export interface Publication {
  run: string
  /** ISO 8601. */
  at: string
  backfill: boolean
  version: number | null
  metadata: Record<string, string> | null
}

/** The scores that a night is measured by, or why there are none. */
export type DeadlineScores = { publication: Publication } | { none: string }

/**
 * Of a night's publications, in order, the one that was published at its deadline: the scores that its readers had. A
 * night without a deadline, which only a manual `run` creates, is measured by its first. Scores of a backfill never
 * count: no one used them for decisions.
 */
export function publishedAtDeadline(publications: Publication[], deadline: string | null): DeadlineScores {
  if (deadline === null) {
    const first = publications.find(({ backfill }) => !backfill)
    return first === undefined ? { none: 'its only scores are those of a backfill' } : { publication: first }
  }
  const last = publications.findLast(({ at }) => Date.parse(at) <= Date.parse(deadline))
  if (last === undefined) {
    const [first] = publications
    const earliest =
      first === undefined ? '' : `: the first were published at ${first.at} by run ${first.run}`
    return { none: `no scores were published by its deadline, ${deadline}${earliest}` }
  }
  if (!last.backfill) return { publication: last }
  return {
    none: `at its deadline, ${deadline}, the published scores were those of a backfill (run ${last.run})`,
  }
}

/** The scores that a model's night is measured by. `deadline`: null if it has none. */
export async function scoresAtDeadline(
  connection: Connection,
  model: string,
  label: string,
): Promise<{ atDeadline: DeadlineScores; deadline: string | null }> {
  const { rows: slots } = await connection.query<{ id: number; deadline: string | null }>(
    `select id, deadline from nightshift.slots where kind = 'scores' and name = $1 and partition = $2`,
    [model, label],
  )
  const [slot] = slots
  if (slot === undefined) return { atDeadline: { none: 'the ledger has no such night' }, deadline: null }
  const { rows } = await connection.query<Publication>(
    `select t.run, t.at, r.backfill is not null as backfill, r.version, r.metadata
       from nightshift.standings t join nightshift.runs r on r.id = t.run where t.slot = $1 order by t.id`,
    [slot.id],
  )
  const deadline = slot.deadline
  const publications = rows
  return { atDeadline: publishedAtDeadline(publications, deadline), deadline }
}
