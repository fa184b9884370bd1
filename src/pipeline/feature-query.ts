import type { AsOf } from '../project/asof.ts'
import type { View } from '../project/project.ts'
import { type CutQuery, type CutQueryRequest, openQuery } from './query.ts'
import { showPath } from './sources.ts'

export interface FeatureQueryRequest extends Omit<CutQueryRequest, 'view' | 'sql' | 'file' | 'parameters'> {
  view: Pick<View, 'entity' | 'sources' | 'sql' | 'sqlFile'>
  asOf: Pick<AsOf, 'local'>
}

/**
 * A view's features.sql over its sources, cut at an as-of: nights, their staleness, `validate` and the search for
 * leaks all ask this one. Throws as `openQuery` does.
 */
export function openFeatureQuery({ asOf, ...request }: FeatureQueryRequest): Promise<CutQuery> {
  const { root, view } = request
  return openQuery({
    ...request,
    sql: view.sql,
    file: showPath(root, view.sqlFile),
    parameters: { as_of: asOf.local },
  })
}
