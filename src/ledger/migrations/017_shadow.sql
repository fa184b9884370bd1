-- Challengers: versions that score beside the champion, since when and until when. Times are set by the caller.
create table nightshift.challengers (
  id          bigint generated always as identity primary key,
  model       text not null,
  version     integer not null,
  -- never before a time that the ledger has already recorded for the model: a clock set back moves no start
  started_at  timestamptz not null,
  started_by  text,
  stopped_at  timestamptz,
  stopped_by  text,
  -- why it ended: promoted, or stopped by a person
  reason      text,
  foreign key (model, version) references nightshift.versions
);
create unique index one_open_challenge on nightshift.challengers (model, version) where stopped_at is null;

-- When a night was first scored, by a clock that does not run backwards; null: not yet, or only by an earlier build.
alter table nightshift.shadow_scores add column first_at timestamptz;

-- A challenger's night beside what it was compared with: src/pipeline/shadow.
create table nightshift.shadow_nights (
  model            text not null,
  version          integer not null,
  partition        text not null,
  as_of            timestamptz not null,
  -- `none`: there was no champion, and model.yaml declares no process before it
  against          text not null check (against in ('champion', 'current', 'none')),
  against_version  integer,
  -- the run whose scores it was compared with; of a current process the sha256 of what was read of it
  against_run      text,
  -- sha256 of the challenger's own file
  scores           text not null,
  state            text not null check (state in ('compared', 'none', 'failed')),
  -- why it could not be compared
  note             text,
  -- ShadowFigures (src/pipeline/shadow/shadow-figures.ts)
  figures          jsonb,
  compared_at      timestamptz not null,
  -- OutcomeFacts of the challenger, with the difference from the other side on the same rows
  realized         jsonb,
  realized_at      timestamptz,
  realized_note    text,
  -- when labels are looked at next, null: never; and how often in a row that has led to nothing new
  look_at          timestamptz,
  looks            integer not null default 0,
  primary key (model, version, partition),
  foreign key (model, version) references nightshift.versions
);
create index shadow_nights_to_look_at on nightshift.shadow_nights (look_at) where look_at is not null;

-- shadow: features that only versions in shadow need; they run in the queues of backfills.
alter table nightshift.runs drop constraint runs_trigger_check;
alter table nightshift.runs add constraint runs_trigger_check
  check (trigger in ('schedule', 'manual', 'backfill', 'retry', 'release', 'rollback', 'repair', 'shadow'));
