import type { LeaksRequest } from '../pipeline/leaks/check-leaks.ts'
import { ownVersion } from '../program/own-files.ts'
import { subjectOf } from '../program/subject.ts'
import type { View } from '../project/project.ts'
import type { Asked } from './item.ts'

/** What a search for leaks in the training sets of a model came to. */
export interface LeakCheck {
  labelled_rows: number
  /** Messages of what is more than a suspicion. */
  leaks: string[]
  /** ISO 8601, by the ledger's clock. */
  checked_at: string
}

/** A search counts this long: labels come of age, and a file system may keep the time of a file that changed. */
const DAYS = 30

/**
 * What the newest search found, where it is of the same definitions, files and program; else it is searched anew and
 * recorded. Throws as `checkLeaks` does.
 */
export async function leakCheck(
  { database, project, model, children, now }: Asked,
  view: View,
): Promise<LeakCheck> {
  const { root, timezone } = project
  const { name, sources, labels } = model
  const examined = { model: name, view, sources, labels, timezone, release: ownVersion() }
  const { digest } = await children.run('listing', { root, sources: { ...view.sources, ...sources } })
  // How often nights are compared is another question, and a simulation declares it otherwise.
  const { parity: _, ...definition } = view
  const subject = subjectOf({ ...examined, view: definition }, digest)
  const { rows: kept } = await database.pool.query<LeakCheck>(
    `select labelled_rows::float8 as labelled_rows, leaks, checked_at from nightshift.leak_checks
      where model = $1 and subject = $2 and checked_at between $3::timestamptz - $4 * interval '1 day' and $3
      order by id desc limit 1`,
    [name, subject, now, DAYS],
  )
  if (kept[0] !== undefined) return kept[0]
  const request: LeaksRequest = { root, ...examined, threads: 1, asOfs: [], now: now.toISOString() }
  const { labelled_rows, leaks } = await children.run('leaks', request)
  const errors = leaks.filter(({ severity }) => severity === 'error').map(({ message }) => message)
  const { rows } = await database.pool.query<LeakCheck>(
    `insert into nightshift.leak_checks (model, view, subject, labelled_rows, leaks) values ($1, $2, $3, $4, $5)
     returning labelled_rows::float8 as labelled_rows, leaks, checked_at`,
    [name, view.name, subject, labelled_rows, errors],
  )
  const [recorded] = rows
  if (recorded === undefined) throw new Error('the ledger returned no row for the search for leaks')
  return recorded
}
