-- An attempt that is split: its request, whose paths are relative to the warehouse, is scored in ranges of rows by any workers,
-- and joined by one of them, from joining_at on.
create table nightshift.splits (
  run            text not null,
  attempt        integer not null,
  shards         integer not null,
  rows           bigint not null,
  features       text not null,
  features_sha   text,
  features_file  text,
  request        jsonb not null,
  steps          jsonb not null default '[]',
  created_at     timestamptz not null default clock_timestamp(),
  joining_at     timestamptz,
  primary key (run, attempt),
  foreign key (run, attempt) references nightshift.attempts (run, number)
);

-- fence: of the try that may record its part. worker and seen_at: who scores it, and when that was last said.
create table nightshift.shards (
  run         text not null,
  attempt     integer not null,
  shard       integer not null,
  first_row   bigint not null,
  rows        bigint not null,
  state       text not null default 'waiting' check (state in ('waiting', 'running', 'done')),
  tries       integer not null default 0,
  fence       bigint,
  worker      text,
  seen_at     timestamptz,
  started_at  timestamptz,
  ended_at    timestamptz,
  failure     jsonb,
  part        jsonb,
  usage       jsonb,
  primary key (run, attempt, shard),
  foreign key (run, attempt) references nightshift.splits (run, attempt)
);
