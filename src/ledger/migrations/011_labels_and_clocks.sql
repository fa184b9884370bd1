-- One path, one owner; one clock.

-- A slot is named by the label that names its path. Where a changed zone had given one label two slots, the one whose
-- partition was published last owns the path; the runs of the other become its own.
create temporary table merged on commit drop as
select id, first_value(id) over (partition by kind, name, partition
         order by published_run is not null desc, published_at desc nulls last, changed_at desc, id desc) as into_slot
  from nightshift.slots;
delete from merged where id = into_slot;
update nightshift.runs r set state = 'cancelled', ended_at = now(), reason = 'another slot of the same label owns its path'
  from merged m where r.slot = m.id and r.state in ('waiting', 'queued', 'running', 'publishing');
update nightshift.runs r set slot = m.into_slot from merged m where r.slot = m.id;
update nightshift.standings t set slot = m.into_slot from merged m where t.slot = m.id;
update nightshift.backfill_nights n set slot = m.into_slot from merged m where n.slot = m.id;
delete from nightshift.slots s using merged m where s.id = m.id;

alter table nightshift.slots
  drop constraint slots_kind_name_as_of_key,
  add unique (kind, name, partition),
  -- size, modification time (ns) and inode of the file when it was last seen to be that of published_run; null: not yet
  add column published_file text;
create index slots_by_name on nightshift.slots (kind, name, as_of);
create index slots_by_partition on nightshift.slots (partition);
create index slots_published on nightshift.slots (id) where published_run is not null;

-- The path of a shadow's scores is named by the label too: of two rows the newer owns it.
delete from nightshift.shadow_scores o using nightshift.shadow_scores n
 where o.model = n.model and o.version = n.version and o.partition = n.partition
   and (n.at, n.as_of) > (o.at, o.as_of);
alter table nightshift.shadow_scores drop constraint shadow_scores_pkey, add primary key (model, version, partition);

-- The zone in which labels were last read as instants. It does not change while a version is live.
create table nightshift.zone (
  one       boolean primary key default true check (one),
  timezone  text not null,
  since     timestamptz not null default now()
);

-- repair: the published file was missing or was another's, and the ledger had it made anew.
alter table nightshift.runs drop constraint runs_trigger_check;
alter table nightshift.runs add constraint runs_trigger_check
  check (trigger in ('schedule', 'manual', 'backfill', 'retry', 'release', 'rollback', 'repair'));

-- Somebody named the version; else the champion at the time of the first attempt scored, and a retry asks again.
alter table nightshift.runs add column pinned boolean not null default false;
update nightshift.runs set pinned = true where version is not null and trigger in ('backfill', 'rollback');

-- How far a process's clock is ahead of the ledger's, in milliseconds (behind: negative).
alter table nightshift.processes add column clock_ahead_ms double precision;
