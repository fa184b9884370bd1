import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { showPath } from '../../project/object-path.ts'
import type { View } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import type { Cut } from '../cut/cut.ts'
import { type CutQuery, type CutQueryRequest, openQuery } from '../sql/cut-query.ts'
import { parseAlone } from '../sql/parse-alone.ts'
import { decidedKeys } from './view-hash.ts'

export interface FeatureQueryRequest
  extends Omit<CutQueryRequest, 'view' | 'sql' | 'file' | 'parameters' | 'sources'> {
  view: View
  asOf: Pick<AsOf, 'local'>
  /** `declared` looks for every source of view.yaml, those too that features.sql does not read. Default: `read`. */
  sources?: 'read' | 'declared' | undefined
}

/**
 * A view's features.sql over the sources that it reads, cut at an as-of: nights, their staleness, `validate` and the
 * search for leaks all ask this one. Throws as `openQuery` does.
 */
export async function openFeatureQuery({
  asOf,
  sources = 'read',
  ...request
}: FeatureQueryRequest): Promise<CutQuery> {
  const { root, view, cut, temp } = request
  const checked = await parseAlone(root, view, cut.timezone, temp)
  return openQuery({
    ...request,
    view: { ...view, keyTypes: decidedKeys(checked, view, cut.timezone) },
    sql: view.sql,
    file: showPath(root, view.sqlFile),
    parameters: { as_of: asOf.local },
    sources: sources === 'read' ? checked.tables : undefined,
  })
}

/** A night's query, or that of a part of it: it may write beside its output. Throws as `openQuery` does. */
export async function openNightQuery(
  {
    root,
    view,
    asOf,
    out,
    temp,
    threads,
    memoryLimit,
  }: Pick<FeatureQueryRequest, 'root' | 'view' | 'asOf' | 'temp' | 'threads' | 'memoryLimit'> & {
    out: string
  },
  cut: Cut,
  reads: Pick<FeatureQueryRequest, 'only' | 'sources' | 'pinned' | 'share' | 'schemaOnly'>,
): Promise<CutQuery> {
  const writable = await realpath(dirname(out))
  return openFeatureQuery({ root, view, asOf, cut, writable, temp, threads, memoryLimit, ...reads })
}
