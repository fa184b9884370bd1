import { didYouMean } from '../../project/files/nearest.ts'
import type { Problem } from '../../project/files/problem.ts'
import type { View } from '../../project/project.ts'
import type { SourceTable } from '../cut/cut-view.ts'
import { bucketKey, entityTypes, isBucketed } from '../shards/buckets.ts'
import { columnNamed } from '../sources/source-columns.ts'
import type { CutQuery } from '../sql/cut-query.ts'
import { perEntityProblems } from '../sql/per-entity.ts'

/** What stands in the way of dividing a view by entity: in its sources' files, and in its SQL. */
export function bucketProblems(
  { tables, checked, sql }: Pick<CutQuery, 'tables' | 'checked' | 'sql'>,
  view: Pick<View, 'entity'>,
  files: { sql: string; yaml: string },
): Problem[] {
  const bucketed = tables.filter(({ found }) => isBucketed(found))
  const faults = bucketed.flatMap((table) => ofTable(table, view.entity))
  const problems = (faults.length > 0 ? faults : ofTypes(bucketed, view.entity)).map((message) => ({
    severity: 'error' as const,
    file: files.yaml,
    line: undefined,
    column: undefined,
    message,
  }))
  if (checked.tree === undefined) return problems
  const names = bucketed.map(({ found }) => found.name)
  return [
    ...problems,
    ...perEntityProblems(checked.tree, sql, { file: files.sql, entity: view.entity, bucketed: names }),
  ]
}

function ofTable({ found, schema }: SourceTable, entity: string[]): string[] {
  const key = found.source.buckets ?? ''
  if (bucketKey(found) === undefined)
    return [
      `sources.${found.name}.buckets: expected a key of its folders, got: ${key}; they have: ${found.hiveKeys.join(', ') || 'none'}${didYouMean(key, found.hiveKeys)}`,
    ]
  const names = schema.columns.map(({ name }) => name)
  return entity.flatMap((name) => {
    const column = columnNamed(schema.columns, name)
    if (column === undefined)
      return [
        `sources.${found.name} has buckets, and no column ${name} of the entity: its columns are: ${names.join(', ')}${didYouMean(name, names)}. Name it so by select, or remove buckets`,
      ]
    return LEGAL.test(column.type)
      ? []
      : [
          `sources.${found.name}.${name} is ${column.type}, and an entity in buckets has to be a whole number, a DECIMAL, a text, a DATE or a BOOLEAN: cast it by select, or remove buckets`,
        ]
  })
}

/** Types of which equal values are written alike: a time may be read in another zone, a DOUBLE be rounded. */
const LEGAL = /^(?:BOOLEAN|U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)|DECIMAL\(.*\)|VARCHAR|DATE)$/

function ofTypes(tables: SourceTable[], entity: string[]): string[] {
  const types = entityTypes(tables, entity)
  return entity.flatMap((name, index) => {
    if (types[index] !== undefined) return []
    const own = tables.map(
      ({ found, schema }) => `${columnNamed(schema.columns, name)?.type} in ${found.name}`,
    )
    return [
      `${name} is ${own.join(' and ')}: sources in buckets have to have the entity in types of one kind, or it cannot be seen whether their buckets fit; cast it by select`,
    ]
  })
}
