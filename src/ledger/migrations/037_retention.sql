-- Of a run whose details were pruned (src/ledger/nights/prune-runs.ts): its checks that passed, and the inputs of what it
-- published before it was superseded, are gone.
alter table nightshift.runs add column pruned_at timestamptz;
create index runs_to_prune on nightshift.runs (ended_at) where pruned_at is null and ended_at is not null;
create index attempts_by_end on nightshift.attempts (ended_at);
create index profiles_by_time on nightshift.profiles (at);
create index outbox_by_time on nightshift.outbox (coalesce(sent_at, gave_up_at));

-- An attempt that is pruned takes its shards along.
alter table nightshift.splits drop constraint splits_run_attempt_fkey,
  add foreign key (run, attempt) references nightshift.attempts (run, number) on delete cascade;
alter table nightshift.shards drop constraint shards_run_attempt_fkey,
  add foreign key (run, attempt) references nightshift.splits (run, attempt) on delete cascade;
