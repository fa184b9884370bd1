-- What people ask for on the pages, and what schedules ask for, that takes longer than a page may: a worker does it.
create table nightshift.operations (
  id            bigint generated always as identity primary key,
  model         text not null,
  kind          text not null check (kind in ('gate', 'promotion', 'rollback', 'drill')),
  -- which drill; null: it is none
  drill         text check (drill in ('rollback', 'failure', 'alert', 'drift')),
  -- null: the one that the command would choose
  version       integer,
  -- the other options of the command
  options       jsonb not null default '{}',
  -- the schedule that asks for it; null: a person
  schedule      text,
  state         text not null default 'requested' check (state in ('requested', 'running', 'done', 'failed')),
  -- what goes on now
  progress      text,
  -- the gate is ready, the version is live, the drill passed; null: it is not over, or could not be done
  passed        boolean,
  -- what came of it, in a sentence
  outcome       text,
  -- what the gate said, as the history keeps it
  gate          jsonb,
  -- the process that works on it, and how often one has begun to
  process       text,
  tries         integer not null default 0,
  by            text,
  os_user       text not null,
  host          text not null,
  requested_at  timestamptz not null default now(),
  started_at    timestamptz,
  ended_at      timestamptz
);
create index operations_by_model on nightshift.operations (model, id desc);
create unique index one_open_operation on nightshift.operations (model, kind, coalesce(drill, ''))
  where state in ('requested', 'running');
create unique index one_running_drill on nightshift.operations (model) where kind = 'drill' and state = 'running';

-- Until when the ticks of a schedule's drills were looked at. Another cron begins anew.
create table nightshift.drill_schedules (
  schedule  text not null,
  model     text not null,
  drill     text not null,
  cron      text not null,
  seen_at   timestamptz not null,
  primary key (schedule, model, drill)
);
