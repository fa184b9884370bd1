import { didYouMean, nearestName } from '../../project/files/nearest.ts'
import type { Column } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import type { FileKind, SourceColumn } from './file-kinds.ts'
import { contract } from './sources.ts'

/** A column whose type in one file is no widening of what it is in those before it. */
export function otherType(
  source: string,
  column: SourceColumn,
  other: { type: string; shown: string },
): Failure {
  return contract(
    source,
    other.shown,
    `expected column ${column.name} to be ${column.type} as in ${column.from}, got: ${other.type}. Have one of them written again`,
  )
}

/** A column that some file with rows lacks; undefined where none does. */
export function missingColumn(source: string, column: SourceColumn, kinds: FileKind[]): Failure | undefined {
  const lower = column.name.toLowerCase()
  const without = kinds.filter(
    ({ layout, files }) => !layout.has(lower) && files.some(({ footer }) => footer.rows > 0),
  )
  const [kind] = without
  const files = without.flatMap((each) => each.files).filter(({ footer }) => footer.rows > 0)
  const [file] = files
  if (kind === undefined || file === undefined) return undefined
  const more = files.length === 1 ? '' : `, and in ${files.length - 1} more of its files`
  const meant = renamedTo(column, kind, kinds)
  return new Failure(
    'contract',
    `source ${source}: ${column.name} is missing in ${file.shown}${meant === undefined ? '' : ` (did you mean ${meant}?)`}${more}; ${column.from} has it. Have the file written again, or say optional: [${column.name}] of the source, to read null there`,
    { evidence: { source, file: file.shown, column: column.name } },
  )
}

/** The name that the column may have in a file: one that is near, first among those that the other files do not have. */
function renamedTo({ name }: Column, kind: FileKind, kinds: FileKind[]): string | undefined {
  const others = kinds.filter((each) => each.layout.has(name.toLowerCase()))
  const names = kind.columns.map((column) => column.name)
  const fresh = names.filter((each) => !others.some(({ layout }) => layout.has(each.toLowerCase())))
  const part = fresh.find((each) =>
    [name, each].some((a) => [name, each].some((b) => a !== b && extendsName(a, b))),
  )
  return nearestName(name, fresh) ?? part ?? nearestName(name, names)
}

/** `amount_eur` extends `amount`. */
function extendsName(longer: string, shorter: string): boolean {
  const [a, b] = [longer.toLowerCase(), shorter.toLowerCase()]
  return b.length > 2 && (a.startsWith(`${b}_`) || a.endsWith(`_${b}`))
}

/** A field of the declaration that names no column. */
export function noColumn(source: string, field: string, name: string, names: string[]): Failure {
  return new Failure(
    'contract',
    `source ${source}: expected ${field} to be a column, got: ${name}; its columns are: ${names.join(', ')}${didYouMean(name, names)}`,
    { evidence: { source, field } },
  )
}
