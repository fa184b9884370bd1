import { showPath } from '../../project/object-path.ts'
import type { View } from '../../project/project.ts'
import type { LabelWindow } from '../../project/time/label-window.ts'
import { labelCut } from '../cut/cut.ts'
import { decidedKeys } from '../features/view-hash.ts'
import { type CutQuery, openQuery } from '../sql/cut-query.ts'
import { parseAlone } from '../sql/parse-alone.ts'

/** What SQL over a label's window is computed from, and where. */
export interface WindowPlace {
  /** Absolute path of the project. */
  root: string
  /** Whose sources the SQL sees (`labelView`), and whose entity it is joined by. */
  view: View
  timezone: string
  /** ISO 8601: the clock, and when the sources are read. */
  now: string
  /** Folder that may be written to, absolute and without symbolic links. */
  temp: string
  threads: number
  memoryLimit?: string | undefined
}

/**
 * SQL over the sources that it reads, cut at the end of a label's window. Without an as-of nothing is read but schemas.
 * Throws as `openQuery` does.
 */
export async function openLabelQuery(
  { root, view, timezone, now, temp, threads, memoryLimit }: WindowPlace,
  { sql, sqlFile }: { sql: string; sqlFile: string },
  { end, complete, asOf }: Omit<LabelWindow, 'asOf'> & { asOf: LabelWindow['asOf'] | undefined },
): Promise<CutQuery> {
  const { tables } = await parseAlone(root, { ...view, sql, sqlFile }, timezone, temp)
  // The types of keys are those of the view's definition, which is known by features.sql.
  const features = view.decided === undefined ? undefined : await parseAlone(root, view, timezone, temp)
  const keyTypes = features === undefined ? undefined : decidedKeys(features, view, timezone)
  return openQuery({
    root,
    view: { ...view, keyTypes },
    sources: tables,
    sql,
    file: showPath(root, sqlFile),
    cut: labelCut({ end, complete }, now, timezone),
    parameters: { as_of: asOf?.local ?? end.local, label_end: end.local },
    writable: temp,
    temp,
    threads,
    memoryLimit,
    schemaOnly: asOf === undefined,
  })
}
