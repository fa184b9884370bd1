-- The ledger: what is expected, what ran, what stands. The queue may be wiped; this may not.

create schema if not exists nightshift;

-- Fences: a number taken when an attempt starts, checked in the transaction that commits.
create sequence nightshift.fences;

-- Every process that can run or plan work says so here; alive means seen within 15 s.
create table nightshift.processes (
  id          text primary key,
  role        text not null check (role in ('worker', 'scheduler', 'web', 'command')),
  host        text not null,
  pid         integer not null,
  places      integer not null default 0,
  started_at  timestamptz not null default now(),
  seen_at     timestamptz not null default now()
);

create table nightshift.schedules (
  name           text primary key,
  first_seen_at  timestamptz not null,
  definition     jsonb not null,
  seen_at        timestamptz not null
);

-- A slot is an expected (view or model, as-of). state is that of its latest execution, published_run what readers see.
-- request: who asked for it beside the schedule, {trigger, forced, version, backfill, settings, by}.
create table nightshift.slots (
  id             bigint generated always as identity primary key,
  kind           text not null check (kind in ('features', 'scores')),
  name           text not null,
  as_of          timestamptz not null,
  partition      text not null,
  state          text not null default 'expected' check (state in
                   ('expected', 'waiting', 'queued', 'running', 'publishing', 'published', 'held', 'failed', 'skipped')),
  schedule       text,
  due            timestamptz,
  deadline       timestamptz,
  wait_until     timestamptz,
  waits_for      text,
  -- somebody has been told that it missed its deadline
  late           boolean not null default false,
  reason         text,
  request        jsonb,
  run            text,
  published_run  text,
  published_at   timestamptz,
  changed_at     timestamptz not null default now(),
  unique (kind, name, as_of)
);
create index slots_by_due on nightshift.slots (due) where state not in ('published', 'skipped');

-- One execution of a slot. settings: {attempts, backoff_ms, wait_until, timeout_ms}.
create table nightshift.runs (
  id               text primary key,
  slot             bigint not null references nightshift.slots,
  kind             text not null,
  name             text not null,
  as_of            timestamptz not null,
  partition        text not null,
  state            text not null default 'queued' check (state in
                     ('waiting', 'queued', 'running', 'publishing', 'published', 'held', 'failed', 'cancelled')),
  trigger          text not null check (trigger in ('schedule', 'manual', 'backfill', 'retry', 'release')),
  backfill         bigint,
  forced           boolean not null default false,
  version          integer,
  settings         jsonb not null,
  attempt          integer not null default 0,
  fence            bigint,
  next_attempt_at  timestamptz,
  waiting_since    timestamptz,
  known_at         timestamptz,
  progress         jsonb,
  path             text,
  rows             bigint,
  bytes            bigint,
  sha256           text,
  view_hash        text,
  metadata         jsonb,
  checks           jsonb not null default '[]',
  inputs           jsonb not null default '[]',
  warnings         jsonb not null default '[]',
  summary          jsonb,
  failure          jsonb,
  reason           text,
  requested_by     text,
  created_at       timestamptz not null default now(),
  started_at       timestamptz,
  ended_at         timestamptz
);
create index runs_by_slot on nightshift.runs (slot, created_at);
-- A slot is worked on by one run at a time.
create unique index one_open_run on nightshift.runs (slot)
  where state in ('waiting', 'queued', 'running', 'publishing');
create index runs_open on nightshift.runs (state) where state in ('waiting', 'queued', 'running', 'publishing');
create index runs_by_time on nightshift.runs (created_at);

-- A backfill moves its nights into slots' requests, at most max_active at once, in the order of its list.
create table nightshift.backfills (
  id          bigint generated always as identity primary key,
  model       text not null,
  state       text not null default 'running' check (state in ('running', 'paused', 'done', 'cancelled')),
  max_active  integer not null,
  forced      boolean not null,
  settings    jsonb not null,
  by          text,
  created_at  timestamptz not null default now(),
  ended_at    timestamptz
);
create table nightshift.backfill_nights (
  backfill   bigint not null references nightshift.backfills,
  position   integer not null,
  as_of      timestamptz not null,
  partition  text not null,
  version    integer,
  -- a view whose partition is refreshed first
  refresh    text,
  slot       bigint,
  primary key (backfill, position)
);
create index backfill_nights_to_ask on nightshift.backfill_nights (backfill, position) where slot is null;

create table nightshift.attempts (
  run         text not null references nightshift.runs,
  number      integer not null,
  fence       bigint not null,
  worker      text not null,
  started_at  timestamptz not null default now(),
  ended_at    timestamptz,
  outcome     text,
  failure     jsonb,
  steps       jsonb not null default '[]',
  primary key (run, number)
);

-- The registry.
create table nightshift.versions (
  model          text not null,
  version        integer not null,
  sha256         text not null,
  bytes          bigint not null,
  file           text not null,
  view           text not null,
  view_hash      text not null,
  features_sql   text not null,
  inputs         jsonb not null,
  output         jsonb not null,
  mapping        jsonb not null,
  dataset        text,
  warnings       jsonb not null default '[]',
  registered_at  timestamptz not null default now(),
  registered_by  text,
  primary key (model, version)
);

create table nightshift.champions (
  model    text primary key,
  version  integer not null,
  since    timestamptz not null default now(),
  foreign key (model, version) references nightshift.versions
);

-- Append-only: what was live when, who changed it, on what evidence.
create table nightshift.history (
  id            bigint generated always as identity primary key,
  at            timestamptz not null default clock_timestamp(),
  model         text not null,
  event         text not null,
  version       integer,
  from_version  integer,
  by            text,
  reason        text,
  evidence      jsonb
);
create index history_by_model on nightshift.history (model, id);
create function nightshift.history_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'nightshift.history is append-only';
end $$;
create trigger history_is_append_only before update or delete on nightshift.history
  for each row execute function nightshift.history_is_append_only();

-- Incidents: one per (subject, kind) while open. detail: {facts, nights} (src/alerts/incident.ts).
create table nightshift.incidents (
  id            bigint generated always as identity primary key,
  subject_kind  text not null check (subject_kind in ('model', 'view')),
  subject       text not null,
  kind          text not null,
  opened_at     timestamptz not null default now(),
  closed_at     timestamptz,
  acked_at      timestamptz,
  acked_by      text,
  detail        jsonb not null
);
create unique index one_open_incident on nightshift.incidents (subject_kind, subject, kind) where closed_at is null;

-- One mail thread of one address: subject and root (Message-ID of its first mail) never change.
create table nightshift.threads (
  id          bigint generated always as identity primary key,
  recipient   text not null,
  subject     text not null,
  root        text not null unique,
  created_at  timestamptz not null
);

-- What one address is told of one incident. Incidents that open within the grouping window share a thread; null: not
-- mailed yet. due_at: the next mail, written in the transaction that makes it due; null: none.
create table nightshift.incident_readers (
  incident      bigint not null references nightshift.incidents,
  recipient     text not null,
  thread        bigint references nightshift.threads,
  reason        text not null check (reason in ('opened', 'joined', 'repeat', 'cleared')),
  due_at        timestamptz,
  last_mail_at  timestamptz,
  mails         integer not null default 0,
  primary key (incident, recipient)
);
create index incident_readers_due on nightshift.incident_readers (due_at) where due_at is not null;
create index incident_readers_thread on nightshift.incident_readers (thread);

create table nightshift.incident_events (
  id        bigint generated always as identity primary key,
  incident  bigint not null references nightshift.incidents,
  at        timestamptz not null default now(),
  event     text not null,
  run       text,
  partition text,
  detail    jsonb not null default '{}'
);
create index incident_events_by_incident on nightshift.incident_events (incident, id);

create table nightshift.mutes (
  subject  text primary key,
  until    timestamptz not null,
  by       text
);

-- Mails to be sent, one row per recipient, drained by polling. claim: who sends it now, until when.
create table nightshift.outbox (
  id           bigint generated always as identity primary key,
  thread       bigint references nightshift.threads,
  recipient    text not null,
  subject      text not null,
  message_id   text not null unique,
  in_reply_to  text,
  refs         text[] not null default '{}',
  body_text    text not null,
  body_html    text not null,
  attachments  jsonb not null default '[]',
  created_at   timestamptz not null default now(),
  due_at       timestamptz not null default now(),
  tries        integer not null default 0,
  sent_at      timestamptz,
  gave_up_at   timestamptz,
  last_error   text,
  transport    text,
  claim          uuid,
  claimed_until  timestamptz
);
create index outbox_open on nightshift.outbox (due_at, id) where sent_at is null and gave_up_at is null;
create index outbox_by_thread on nightshift.outbox (thread, id);

-- Whoever follows runs listens instead of polling.
create function nightshift.tell_change() returns trigger language plpgsql as $$
begin
  perform pg_notify('nightshift', new.id::text);
  return null;
end $$;
create trigger slot_changed after insert or update of state on nightshift.slots
  for each row execute function nightshift.tell_change();
create trigger run_changed after insert or update of state, progress on nightshift.runs
  for each row execute function nightshift.tell_change();
