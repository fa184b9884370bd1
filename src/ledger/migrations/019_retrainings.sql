-- Retrainings of models: why each began, how far it came, what it made.
create table nightshift.retrainings (
  id            bigint generated always as identity primary key,
  model         text not null,
  trigger       text not null check (trigger in ('drift', 'quality', 'age', 'hand')),
  -- the trigger in words, with its figures
  reason        text not null,
  -- registers nothing: shows that the command makes a model that fits
  dry_run       boolean not null default false,
  state         text not null default 'requested' check (state in ('requested', 'running', 'done', 'failed')),
  -- the last step that was begun
  step          text check (step in ('dataset', 'command', 'registration', 'evaluation', 'shadow')),
  -- what it was made with, so that a dry run stands for this alone: command, its files, variables, training set, view
  recipe        text,
  view_hash     text,
  dataset       text,
  version       integer,
  -- the champion that it was evaluated against
  champion      integer,
  passed        boolean,
  -- what came of it, in a sentence; why it failed
  outcome       text,
  -- of the command, relative to the warehouse
  log           text,
  -- the process that works on it, and how often one has begun to
  process       text,
  tries         integer not null default 0,
  by            text,
  os_user       text,
  host          text,
  requested_at  timestamptz not null default now(),
  started_at    timestamptz,
  ended_at      timestamptz,
  -- `promote: when-ready`: when the gate was last asked, and when that version was promoted
  asked_at      timestamptz,
  promoted_at   timestamptz
);
create index retrainings_by_model on nightshift.retrainings (model, id desc);
create unique index one_open_retraining on nightshift.retrainings (model) where state in ('requested', 'running');
