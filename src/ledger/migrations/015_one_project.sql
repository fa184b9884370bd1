-- One ledger, one project; a backfill's nights are decided when they are fed.

-- Whose ledger this is: see src/ledger/identity. `queues` begins the keys of this ledger's queues in Redis.
create table nightshift.project (
  one      boolean primary key default true check (one),
  id       text not null,
  name     text not null,
  -- where it was made: host, and path of the project there
  made_at  text not null,
  queues   text not null,
  since    timestamptz not null default now()
);

-- Of features: the run that first published the same content; null where this run did. Scores of the one are scores of the other.
alter table nightshift.runs add column content text;

-- missing, failed, stale, all; null for backfills that are older than this column.
alter table nightshift.backfills
  add column mode text,
  -- until when a process looks at what is stale among the next nights: the others leave them to it meanwhile
  add column looked_at_until timestamptz;
-- Outcomes also: skipped, for a night that was left as it was. `reason`: why a night was not run.
alter table nightshift.backfill_nights add column reason text;
