import { isAbsolute, relative } from 'node:path'
import { sqlName } from '../../pipeline/beginning/data-paths.ts'
import type { ProposedTable } from '../../pipeline/beginning/propose-sources.ts'
import { TEXT_TIMES } from '../../pipeline/beginning/text-times.ts'

/** Types that the columns of a text file are declared with: those of which every value was seen to have it. */
export function sourceTypes({ format, columns, rows, looked, reads }: ProposedTable): Record<string, string> {
  if (format !== 'csv' || looked < rows) return {}
  return Object.fromEntries(
    columns.flatMap(
      ({ name, type, isKey, nulls, numbers, wholes, blanks, zeros, time }): [string, string][] => {
        if (isKey || type !== 'VARCHAR') return []
        const [reading, ...others] = time?.readings ?? []
        const cast = reading === undefined || others.length > 0 ? undefined : TEXT_TIMES[reading]?.cast
        if (cast !== undefined && time?.share === 1 && blanks === 0) return [[name, cast]]
        const filled = rows - nulls
        if (reads[name] !== undefined || blanks > 0 || zeros > 0 || filled === 0 || numbers < filled)
          return []
        return [[name, wholes === filled ? 'BIGINT' : 'DOUBLE']]
      },
    ),
  )
}

/** A source of view.yaml: where its files are, how they are read, and how its rows lie in time. */
export function declaredSource(root: string, table: ProposedTable): Record<string, unknown> {
  const types = sourceTypes(table)
  const reads = Object.entries(table.reads).filter(([column]) => types[column] === undefined)
  const within = relative(root, table.path)
  const named = ([column, sql]: [string, string]) => `${sql} AS ${sqlName(column)}`
  const replaced = reads.length === 0 ? '' : ` REPLACE (${reads.map(named).join(', ')})`
  const added = Object.entries(table.added ?? {}).map((each) => `, ${named(each)}`)
  const isSelected = replaced !== '' || added.length > 0
  return {
    path: within.startsWith('..') || isAbsolute(within) ? table.path : within,
    ...(table.format === 'parquet' ? {} : { format: table.format }),
    ...(Object.keys(types).length === 0 ? {} : { types }),
    ...(isSelected ? { select: `SELECT *${replaced}${added.join('')} FROM raw` } : {}),
    ...table.declared,
  }
}

/** Days of the shorter and of the longer window. */
export function windowsOf(table: Pick<ProposedTable, 'span'>): [number, number] {
  return daysOf(table) >= 180 ? [30, 90] : [7, 30]
}

/** Days that a label looks ahead: so few that there is a night with days before it and the label after it. */
export function horizonOf(table: Pick<ProposedTable, 'span'>): number {
  const days = daysOf(table)
  return days >= 180 ? 90 : days >= 45 ? 30 : days >= 14 ? 7 : 1
}

function daysOf({ span }: Pick<ProposedTable, 'span'>): number {
  if (span === undefined) return 0
  return (Date.parse(span.last.slice(0, 10)) - Date.parse(span.first.slice(0, 10))) / 86_400_000
}
