/**
 * What the ledger calls now is the test's clock too: a function `now()` in a schema that is searched before
 * PostgreSQL's own, and in the defaults of columns. Everything else is as `nightshift up` runs it.
 */
export const CLOCK = `
create schema test_clock;
create table test_clock.time (at timestamptz not null);
create function test_clock.now() returns timestamptz language sql stable as 'select at from test_clock.time';
do $$
declare each record;
begin
  for each in select table_name, column_name from information_schema.columns
               where table_schema = 'nightshift' and column_default = 'now()' loop
    execute format('alter table nightshift.%I alter %I set default test_clock.now()', each.table_name, each.column_name);
  end loop;
end $$;
`
