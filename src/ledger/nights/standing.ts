import type { Connection } from './slots.ts'

/** A publication under a night's stable name. */
export interface Publication {
  run: string
  /** ISO 8601. */
  at: string
  backfill: boolean
  version: number | null
  metadata: Record<string, string> | null
}

/** The scores that a night is judged by, or why there are none. */
export type Stood = { publication: Publication } | { none: string }

/**
 * Of a night's publications, in their order, the one that stood at its deadline: what its readers had. A night without
 * a deadline, which only somebody's own `run` makes, is judged by its first. Scores of a backfill never count: nobody
 * decided by them.
 */
export function stoodAt(publications: Publication[], deadline: string | null): Stood {
  if (deadline === null) {
    const first = publications.find(({ backfill }) => !backfill)
    return first === undefined ? { none: 'its scores are those of a backfill alone' } : { publication: first }
  }
  const last = publications.findLast(({ at }) => Date.parse(at) <= Date.parse(deadline))
  if (last === undefined) {
    const [first] = publications
    const told = first === undefined ? '' : `: the first were published at ${first.at} by run ${first.run}`
    return { none: `no scores stood at its deadline, ${deadline}${told}` }
  }
  if (!last.backfill) return { publication: last }
  return { none: `at its deadline, ${deadline}, the scores of a backfill stood (run ${last.run})` }
}

/** The scores that a model's night is judged by. `deadline`: null where it has none. */
export async function scoresThatStood(
  connection: Connection,
  model: string,
  label: string,
): Promise<{ stood: Stood; deadline: string | null }> {
  const { rows: slots } = await connection.query<{ id: string; deadline: Date | null }>(
    `select id, deadline from nightshift.slots where kind = 'scores' and name = $1 and partition = $2`,
    [model, label],
  )
  const [slot] = slots
  if (slot === undefined) return { stood: { none: 'the ledger has no such night' }, deadline: null }
  const { rows } = await connection.query<Omit<Publication, 'at'> & { at: Date }>(
    `select t.run, t.at, r.backfill is not null as backfill, r.version, r.metadata
       from nightshift.standings t join nightshift.runs r on r.id = t.run where t.slot = $1 order by t.id`,
    [slot.id],
  )
  const deadline = slot.deadline?.toISOString() ?? null
  const publications = rows.map((row) => ({ ...row, at: row.at.toISOString() }))
  return { stood: stoodAt(publications, deadline), deadline }
}
