import type { View } from '../../project/project.ts'
import type { Column } from '../engine/facts.ts'
import { hasRemainder } from '../sources/source-columns.ts'
import { contract } from '../sources/sources.ts'
import type { CutQuery } from '../sql/cut-query.ts'
import { namesBehind } from '../sql/whole-values.ts'

const FINE = 'TIMESTAMP_NS'

/**
 * Refuses nanoseconds that may tell entities apart: features are read in microseconds, where two could become one in
 * silence. That is looked at where an entity is a time, for every column of nanoseconds that is read, and else for
 * columns whose whole values may stand in an entity. Elsewhere a part of a microsecond is left out. Throws a contract Failure.
 */
export async function refuseFineEntities(
  { engine, tables, checked }: CutQuery,
  view: Pick<View, 'entity'>,
  output: Column[],
): Promise<void> {
  const entity = output.filter(({ name }) => view.entity.includes(name))
  const own = entity.map(({ name }) => name.toLowerCase())
  const names = checked.tree === undefined ? new Set(own) : namesBehind(checked.tree, own)
  const anyTime = entity.some(({ type }) => type.startsWith('TIMESTAMP'))
  for (const { found, files, columns } of tables) {
    for (const { name, type, from } of columns) {
      if (type !== FINE || !(anyTime || names.has(name.toLowerCase()))) continue
      const fine = files.filter(({ footer }) => footer.rows > 0)
      if (fine.length === 0 || !(await hasRemainder(engine, fine, name))) continue
      throw contract(
        found.name,
        from,
        `column ${name} holds parts of a microsecond, and features are computed in microseconds: entities that differ could become one. Write it in microseconds, or as the integer or text that it stands for`,
      )
    }
  }
}
