-- What each night looked like, how far it moved, and what came of it.

-- One row a published run of scores: distributions of its features and of its score (src/pipeline/profile). Nights of
-- backfills are profiled too, and shown apart: they enter no alert.
create table nightshift.profiles (
  run         text primary key references nightshift.runs,
  model       text not null,
  version     integer not null,
  as_of       timestamptz not null,
  partition   text not null,
  backfilled  boolean not null,
  rows        bigint not null,
  -- Profile; its numbers are counted on the edges of the version's baseline
  profile     jsonb not null,
  -- of the score, apart: a page over many nights reads these, and not 50 kB a night
  score_quantiles jsonb generated always as
                (jsonb_path_query_first(profile, '$.columns[*] ? (@.score == true).quantiles')) stored,
  score_mean  double precision generated always as
                ((jsonb_path_query_first(profile, '$.columns[*] ? (@.score == true).mean') #>> '{}')::double precision) stored,
  -- what it was compared with, in words; null: there was nothing to compare with, and `note` says why
  reference   text,
  note        text,
  -- what the version's own probabilities promise: {auc, rate}, known long before the labels are
  estimate    jsonb,
  -- how long the profile and its comparison took
  seconds     double precision not null,
  at          timestamptz not null default now()
);
create index profiles_by_model on nightshift.profiles (model, as_of desc);

-- One row a column (or the score) of a profiled run: src/pipeline/drift.
create table nightshift.drift (
  run             text not null references nightshift.profiles on delete cascade,
  model           text not null,
  as_of           timestamptz not null,
  partition       text not null,
  position        integer not null,
  column_name     text not null,
  is_score        boolean not null,
  -- Drift (src/pipeline/drift/drift.ts) without its column
  figures         jsonb not null,
  drifted         boolean not null,
  -- drifted on as many of the last nights as `drift.persist` asks for; never for nights of backfills
  alerting        boolean not null,
  primary key (run, column_name)
);
create index drift_by_model on nightshift.drift (model, as_of desc);

-- What came of a night's scores, once its label window is over: one row a model and as-of.
create table nightshift.outcomes (
  model        text not null,
  as_of        timestamptz not null,
  partition    text not null,
  -- the run whose scores stood at the deadline; null where none did
  run          text references nightshift.runs,
  version      integer,
  state        text not null check (state in ('immature', 'measured', 'failed')),
  -- when the label window is over, at the earliest
  matures_at   timestamptz not null,
  measured_at  timestamptz,
  -- why it is not measured
  note         text,
  -- OutcomeFacts (src/pipeline/outcomes/outcomes.ts)
  report       jsonb,
  -- when it is looked at again, null: never; and how often in a row that has led to nothing new
  look_at      timestamptz,
  looks        integer not null default 0,
  primary key (model, as_of)
);
create index outcomes_to_look_at on nightshift.outcomes (look_at) where look_at is not null;

-- Sign-in: a session is a cookie's hash, so that a copy of the ledger opens no door.
create table nightshift.sessions (
  token_hash  text primary key,
  name        text not null,
  -- hash of the user's password hash: another password ends the sessions
  credential  text not null,
  csrf        text not null,
  created_at  timestamptz not null default now(),
  seen_at     timestamptz not null default now(),
  expires_at  timestamptz not null
);

-- When a process that plans by the calendar last did so, for /readyz.
alter table nightshift.processes add column reconciled_at timestamptz;

-- Years of nights: pages look at the last weeks of them.
create index slots_by_as_of on nightshift.slots (as_of desc);

-- Runs are searched by text: names without the rows themselves, which are wide, and failures without the others.
create index runs_by_words on nightshift.runs (id, name, partition);
create index runs_failed on nightshift.runs (created_at) where failure is not null;
-- And by state: those that went wrong are few.
create index runs_that_failed on nightshift.runs (created_at desc) where state in ('failed', 'held');

-- What a version was registered on beside its SQL: the columns of the view in its order (those of its training set
-- where it has one), and {entity, fill, sources} as declared. Null for versions that are older.
alter table nightshift.versions add column columns jsonb, add column declaration jsonb;
