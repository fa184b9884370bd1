-- What a machine has checked of a version or a night.

-- Evaluations of a version on the holdout of a training set (src/pipeline/evaluation).
create table nightshift.evaluations (
  id        bigint generated always as identity primary key,
  model     text not null,
  version   integer not null,
  dataset   text not null,
  at        timestamptz not null default now(),
  by        text,
  passed    boolean not null,
  report    jsonb not null,
  foreign key (model, version) references nightshift.versions
);
create index evaluations_by_version on nightshift.evaluations (model, version, id);

-- Distributions of the holdout's features and scores, against which nights are compared (src/pipeline/profile.ts).
create table nightshift.baselines (
  model     text not null,
  version   integer not null,
  dataset   text not null,
  at        timestamptz not null default now(),
  profile   jsonb not null,
  primary key (model, version),
  foreign key (model, version) references nightshift.versions
);

-- Parity of a published features partition with what the training path computes (src/pipeline/parity).
create table nightshift.certificates (
  id          bigint generated always as identity primary key,
  run         text not null references nightshift.runs,
  view        text not null,
  as_of       timestamptz not null,
  partition   text not null,
  against     text not null,
  checked_at  timestamptz not null default now(),
  -- values that differ and are not late; null: it could not be checked
  differing   bigint,
  report      jsonb not null
);
create index certificates_by_run on nightshift.certificates (run, id);
create index certificates_by_view on nightshift.certificates (view, as_of, id);

-- What a version that is not champion scored beside it, under shadow/<model>/challenger=<version>/ of the warehouse.
create table nightshift.shadow_scores (
  model         text not null,
  version       integer not null,
  as_of         timestamptz not null,
  partition     text not null,
  role          text not null check (role in ('warm', 'challenger')),
  -- the features that it was scored on: scored again where others stand now
  features_run  text not null,
  -- relative to the warehouse; null where it failed
  path          text,
  rows          bigint,
  sha256        text,
  metadata      jsonb,
  summary       jsonb,
  failure       jsonb,
  at            timestamptz not null default now(),
  primary key (model, version, as_of),
  foreign key (model, version) references nightshift.versions
);

-- Which file stood when: each time a run's partition took the place of another under the stable name.
create table nightshift.standings (
  id          bigint generated always as identity primary key,
  slot        bigint not null references nightshift.slots,
  run         text not null references nightshift.runs,
  at          timestamptz not null default clock_timestamp(),
  -- where the file lies that it superseded, relative to the warehouse; null: there was none, or it is not kept
  superseded  text
);
create index standings_by_slot on nightshift.standings (slot, id);

alter table nightshift.runs drop constraint runs_trigger_check;
alter table nightshift.runs add constraint runs_trigger_check
  check (trigger in ('schedule', 'manual', 'backfill', 'retry', 'release', 'rollback'));
