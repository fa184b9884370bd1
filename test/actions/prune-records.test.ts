import { afterAll, beforeAll, expect, test } from 'vitest'
import { fillHistory } from '../../bench/history/fill.ts'
import { countOldRecords, pruneRecords } from '../../src/actions/prune-records.ts'
import { type FreshDatabase, freshDatabase } from '../database/fresh.ts'
import { projectOf, retentionOf } from '../jobs/nights.ts'

/** Three models with a hundred nights each: tries that failed, mended nights, a night that is held, mails, drift. */
let fresh: FreshDatabase
beforeAll(async () => {
  fresh = await freshDatabase()
  await fillHistory(fresh.database, { models: 3, nights: 100 })
  await fresh.database.pool.query(`
    insert into nightshift.daily_gates (model, day, version, gate, at)
      select 'model01', d::date, 9, '{}', d from generate_series(now() - interval '99 days', now(), interval '1 day') d;
    insert into nightshift.leak_checks (model, view, subject, labelled_rows, leaks, checked_at)
      select 'model01', 'view01', 's', 10, '{}', d from generate_series(now() - interval '99 days', now(), interval '1 day') d;
    -- A verdict that was another until 60 days ago, one until yesterday; what stands is as old as the night.
    insert into nightshift.verdicts (slot, run, answer, why, reasons, since, until, subject)
      select id, published_run, 'yes', '', '[]', now() - interval '99 days', e.until, 's'
        from (select * from nightshift.slots where kind = 'scores' and published_run is not null order by as_of limit 1) s,
             (values (now() - interval '60 days'), (now() - interval '1 day'), (null)) e (until);
    -- The night that is held is an old one, and so are its run and its mails.
    update nightshift.slots set due = due - interval '90 days' where state = 'held';
    update nightshift.runs set ended_at = ended_at - interval '90 days' where state = 'held';
    update nightshift.attempts a set ended_at = a.ended_at - interval '90 days'
      from nightshift.runs r where r.id = a.run and r.state = 'held';
    update nightshift.outbox set sent_at = sent_at - interval '90 days' where thread in
      (select e.thread from nightshift.incident_readers e join nightshift.incidents i on i.id = e.incident where i.closed_at is null);
    -- Nights that were scored in shards.
    insert into nightshift.splits (run, attempt, shards, rows, features, request)
      select id, 1, 1, 10, 'f', '{}' from nightshift.runs where id in ('s01n0005', 's01n0090');
    insert into nightshift.shards (run, attempt, shard, first_row, rows) select run, 1, 0, 0, 10 from nightshift.splits;
    -- A version that is no longer live.
    update nightshift.profiles set version = 1 where model = 'model01' and at < now() - interval '60 days';
    -- A night that readers have seen for long had a check that failed and was released.
    update nightshift.runs set checks = jsonb_set(checks, '{0,passed}', 'false') where id = 's01n0090'`)
})
afterAll(() => fresh.drop())

const log = { info: () => {} }
const ledgerOf = (kept: string) => ({
  database: fresh.database,
  project: { ...projectOf([]), retention: retentionOf(kept) },
})

async function numbers(sql: string): Promise<number[]> {
  const { rows } = await fresh.database.pool.query<string[]>({ text: sql, rowMode: 'array' })
  return (rows[0] ?? []).map(Number)
}

async function pruneAll(kept: string, batch?: number): Promise<number> {
  let rounds = 1
  while (await pruneRecords(ledgerOf(kept), { log, ...(batch === undefined ? {} : { batch }) })) rounds++
  return rounds
}

const KEPT = `select (select count(*) from nightshift.slots), (select count(*) from nightshift.versions),
  (select count(*) from nightshift.history), (select count(*) from nightshift.evaluations), (select count(*) from nightshift.baselines),
  (select count(*) from nightshift.standings), (select count(*) from nightshift.incidents), (select count(*) from nightshift.outcomes),
  (select count(*) from nightshift.certificates), (select count(*) from nightshift.shadow_scores),
  (select count(*) from nightshift.runs where id in (select published_run from nightshift.slots union select run from nightshift.slots))`

test('nothing is pruned that is younger than retention says', async () => {
  expect(await countOldRecords(ledgerOf('365d'))).toEqual({})
  expect(await pruneRecords(ledgerOf('365d'), { log })).toBe(false)
})

test('old records go in batches; nights, versions, their history and whatever is open stay', async () => {
  const [kept, found] = [await numbers(KEPT), await countOldRecords(ledgerOf('30d'))]
  // Runs that only their attempts still name are found once those are gone.
  expect(Object.keys(found)).toEqual([
    'attempts',
    'profiles',
    'mails',
    'answers of the gate',
    'searches for leaks',
    'former verdicts',
    'details of runs',
  ])
  expect(found['answers of the gate']).toBe(70)
  expect(found['former verdicts']).toBe(1)
  expect(await pruneAll('30d', 100)).toBeGreaterThan(2)
  expect(await countOldRecords(ledgerOf('30d'))).toEqual({})
  expect(await numbers(KEPT)).toEqual(kept)
  // What is held, and the mails about it, are as old as what is gone.
  const [held, mails] = await numbers(
    `select (select count(*) from nightshift.attempts a join nightshift.runs r on r.id = a.run where r.state = 'held'),
            (select count(*) from nightshift.outbox where sent_at < now() - interval '60 days')`,
  )
  expect(held).toBe(1)
  expect(mails).toBe(3)
  const [tries, attempts, profiles, gates, leaks] = await numbers(
    `select (select count(*) from nightshift.runs where state = 'failed' and ended_at < now() - interval '31 days'),
            (select count(*) from nightshift.attempts a join nightshift.runs r on r.id = a.run
              where a.ended_at < now() - interval '31 days' and r.state <> 'held'),
            (select count(*) from nightshift.profiles where at < now() - interval '31 days'),
            (select count(*) from nightshift.daily_gates), (select count(*) from nightshift.leak_checks)`,
  )
  expect([tries, attempts, gates, leaks]).toEqual([0, 0, 30, 30])
  expect(
    await numbers(
      'select (select count(*) from nightshift.splits), (select count(*) from nightshift.shards)',
    ),
  ).toEqual([1, 1])
  // The newest night of the version that is no longer live.
  expect(profiles).toBe(1)
})

test('what readers see keeps its inputs and the checks that failed', async () => {
  const { rows } = await fresh.database.pool.query(
    `select jsonb_array_length(inputs) as inputs, jsonb_path_query_array(checks, '$[*].id') as checks
       from nightshift.runs where id in ('s01n0090', 's01n0091') order by id`,
  )
  expect(rows).toEqual([
    { inputs: 6, checks: ['column.1'] },
    { inputs: 6, checks: [] },
  ])
})
