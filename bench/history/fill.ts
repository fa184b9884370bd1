import { readFileSync } from 'node:fs'
import type { ClientBase } from 'pg'
import { type Database, transaction } from '../../src/ledger/connection/database.ts'
import { driftFigures, outcomeOf, profileOf, randomFrom } from './documents.ts'

/** Different documents of a kind: nights take turns with them. */
const VARIANTS = 8
/** Nights that the calendar expects ahead. */
const AHEAD = 3

/**
 * Fills an empty ledger with the nights of so many models up to today: slots, runs, certificates, the registry,
 * profiles, drift, outcomes, incidents and mails. Needs a superuser, as the embedded server has one: no trigger fires.
 */
export async function fillHistory(
  database: Database,
  { models, nights }: { models: number; nights: number },
): Promise<void> {
  await transaction(database, async (client) => {
    await client.query('set local session_replication_role = replica')
    await client.query('select setseed(0.42)')
    await client.query(
      `create temporary table models on commit drop as
         select i, 'model' || lpad(i::text, greatest(2, length(i::text)), '0') as model, 'view' || lpad(i::text, greatest(2, length(i::text)), '0') as view from generate_series(1, ${models}) i`,
    )
    await client.query(
      `create temporary table nights on commit drop as
         select n, date_trunc('day', now(), 'UTC') - n * interval '1 day' as as_of,
                to_char(date_trunc('day', now(), 'UTC') - n * interval '1 day', 'YYYY-MM-DD') as label
           from generate_series(${-AHEAD}, ${nights - 1}) n`,
    )
    await documents(client, models)
    await client.query(readFileSync(new URL('./ledger.sql', import.meta.url), 'utf8'))
  })
  await database.pool.query('analyze')
}

async function documents(client: ClientBase, models: number): Promise<void> {
  const random = randomFrom(7)
  await client.query(`create temporary table profiles (i int, v int, profile jsonb) on commit drop;
    create temporary table figures (i int, v int, position int, column_name text, is_score boolean, figures jsonb) on commit drop;
    create temporary table reports (v int, report jsonb) on commit drop;
    create temporary table letters (text text, html text, picture text) on commit drop`)
  for (let i = 1; i <= models; i++) {
    for (let v = 0; v < VARIANTS; v++) {
      const profile = profileOf(random)
      await client.query('insert into profiles values ($1, $2, $3)', [i, v, JSON.stringify(profile)])
      const figures = profile.columns.map((column, position) => ({
        position,
        column_name: column.column,
        is_score: column.score,
        figures: driftFigures(column, random),
      }))
      await client.query(
        `insert into figures select $1, $2, f.* from jsonb_to_recordset($3)
           f (position int, column_name text, is_score boolean, figures jsonb)`,
        [i, v, JSON.stringify(figures)],
      )
    }
  }
  for (let v = 0; v < VARIANTS; v++) {
    await client.query('insert into reports values ($1, $2)', [v, JSON.stringify(outcomeOf(random))])
  }
  const picture = Buffer.from(Array.from({ length: 30_000 }, () => Math.floor(random() * 256))).toString(
    'base64',
  )
  const line = 'What failed, who is affected, what still holds, and the next three commands.\n'
  const html = `<!doctype html><html><body>${`<p>${line}</p>`.repeat(120)}</body></html>`
  await client.query('insert into letters values ($1, $2, $3)', [line.repeat(50), html, picture])
}
