import type { Entity } from './guess-entity.ts'

/**
 * The table whose rows become rows of the features: the largest with one for each entity. By itself, since what writes the
 * files of a project loads no engine.
 */
export function baseOf<T extends { name: string; rows: number; isState: boolean }>(
  tables: T[],
  entity: Pick<Entity, 'in'>,
): T | undefined {
  return tables
    .filter(({ isState, name }) => isState && entity.in[name] !== undefined)
    .toSorted((a, b) => b.rows - a.rows)[0]
}
