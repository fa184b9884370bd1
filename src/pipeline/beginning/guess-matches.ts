import type { Engine } from '../engine/duckdb.ts'
import { identifier } from '../engine/quote.ts'
import type { Guess } from './guess.ts'
import type { Entity, Looked } from './guess-entity.ts'

/**
 * Says which tables have entities that the table of the features lacks: they are joined to it, and what finds nobody there is
 * lost. Keys are compared as text, as the first features.sql does where their types differ.
 */
export async function guessMatches(
  engine: Engine,
  base: Looked | undefined,
  tables: Looked[],
  entity: Pick<Entity, 'columns' | 'in'>,
): Promise<Guess[]> {
  const own = base === undefined ? undefined : entity.in[base.name]
  if (base === undefined || own === undefined) return []
  const guesses: Guess[] = []
  for (const table of tables) {
    const keys = entity.in[table.name]
    if (table === base || keys === undefined) continue
    const of = (from: string, names: string[]) =>
      `SELECT DISTINCT ${names.map((name, index) => `${identifier(name)}::VARCHAR AS k${index}`).join(', ')} FROM ${from} WHERE ${names.map((name) => `${identifier(name)} IS NOT NULL`).join(' AND ')}`
    const using = keys.map((_, index) => `k${index}`).join(', ')
    const { n, lost, example } = await engine.row(
      `WITH these AS (${of(table.from, keys)}), those AS (${of(base.from, own)}), lost AS (SELECT * FROM these ANTI JOIN those USING (${using}))
       SELECT (SELECT count(*) FROM these) AS n, (SELECT count(*) FROM lost) AS lost, (SELECT min(k0) FROM lost) AS example`,
    )
    if (Number(lost) === 0) continue
    const named = entity.columns.join(', ')
    guesses.push(
      n === lost
        ? {
            what: `no ${named} of ${table.name} is in ${base.name}`,
            why: `${base.name} has none like ${String(example)}, so that nothing of ${table.name} reaches a feature`,
            sure: 'sure',
            other: `a select of ${table.name} or ${base.name} that writes them alike`,
          }
        : {
            what: `${Number(lost)} of ${Number(n)} ${named} of ${table.name} are not in ${base.name}`,
            why: `such as ${String(example)}: features are of those in ${base.name} alone`,
            sure: 'sure',
            other: 'a features.sql that begins with a table of all of them',
          },
    )
  }
  return guesses
}
