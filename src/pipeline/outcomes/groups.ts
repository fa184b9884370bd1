import { showPath } from '../../project/object-path.ts'
import type { LabelWindow } from '../../project/time/label-window.ts'
import { labelCut } from '../cut/cut.ts'
import { openLabelQuery, type WindowPlace } from '../dataset/label-query.ts'
import { classify } from '../engine/classify.ts'
import type { Engine } from '../engine/duckdb.ts'
import type { InputFile } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { identifier, literal } from '../engine/quote.ts'
import { entityTypeFault } from '../features/entity-types.ts'
import { inputsOf } from '../sources/input-files.ts'
import { hashVisible } from '../sources/visible.ts'

/** SQL of model.yaml that names entities: those that were acted on, or a control group. */
export interface GroupSql {
  /** As model.yaml calls it, such as `outcomes.treated`. */
  name: string
  sql: string
  /** Absolute path of model.yaml. */
  sqlFile: string
}

/**
 * Writes the entities that the SQL gives over the sources as labels.sql sees them, each once. Returns what was read
 * of the sources that it uses. Throws Failures that name the group: `contract` where the SQL gives anything but the
 * entity.
 */
export async function entitiesOf(
  place: WindowPlace,
  group: GroupSql,
  window: LabelWindow,
  out: string,
): Promise<InputFile[]> {
  try {
    return await writeEntities(place, group, window, out)
  } catch (error) {
    const failure = classify(error)
    // What the engine says of a row, such as a cast that fails, names neither the SQL nor its file.
    throw new Failure(failure.failureClass, `${whereIs(place, group)}: ${failure.message}`, {
      cause: error,
      evidence: failure.evidence,
    })
  }
}

function whereIs({ root }: Pick<WindowPlace, 'root'>, { name, sqlFile }: GroupSql): string {
  return `${showPath(root, sqlFile)}, ${name}`
}

async function writeEntities(
  place: WindowPlace,
  group: GroupSql,
  window: LabelWindow,
  out: string,
): Promise<InputFile[]> {
  const query = await openLabelQuery(place, group, window)
  try {
    const columns = await query.engine.rows(`DESCRIBE ${query.sql}`, query.values)
    const names = columns.map((row) => String(row.column_name))
    const fault = groupFault(names, place.view.entity)
    if (fault !== undefined) throw new Failure('contract', fault)
    const entity = place.view.entity.map(identifier)
    await query.engine.run(
      `COPY (SELECT DISTINCT ${entity.join(', ')} FROM (${query.sql}\n) WHERE ${entity.map((name) => `${name} IS NOT NULL`).join(' AND ')}) TO ${literal(out)} (FORMAT parquet)`,
      query.values,
    )
    const used = new Set(query.checked.tables)
    const cut = labelCut(window, place.now, place.timezone)
    const inputs = await hashVisible(query.engine, query.tables, cut, inputsOf(query.sources))
    return inputs.filter(({ source }) => used.has(source))
  } finally {
    query.close()
  }
}

/**
 * Throws a contract Failure where entities of one of the night's tables cannot be joined to those of its scores.
 * `tables`: where the SQL of each stands, in words.
 */
export async function refuseOtherTypes(
  engine: Engine,
  entity: string[],
  tables: { table: 'labels' | 'treated' | 'control'; where: string }[],
): Promise<void> {
  const columnsOf = async (table: string) =>
    (await engine.rows(`DESCRIBE ${table}`)).map((row) => ({
      name: String(row.column_name),
      type: String(row.column_type),
    }))
  const scores = await columnsOf('scores')
  for (const { table, where } of tables) {
    for (const column of await columnsOf(table)) {
      const fault = entity.includes(column.name) ? entityTypeFault(column, scores) : undefined
      if (fault !== undefined) throw new Failure('contract', `${where}: ${fault}`)
    }
  }
}

/** A column in addition to the entity would be ignored, although it may mark entities that were not acted on. */
export function groupFault(names: string[], entity: string[]): string | undefined {
  if (names.length === entity.length && entity.every((name) => names.includes(name))) return undefined
  return `expected the entity (${entity.join(', ')}) alone, one row for each that belongs to the group, got: ${names.join(', ')}`
}
