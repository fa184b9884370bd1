-- A split is of scores or of features. A shard of scores is a range of rows; one of features is some buckets of the entity and the
-- bytes of their files, and its rows are known when it is done.
alter table nightshift.splits
  add column kind text not null default 'scores' check (kind in ('scores', 'features')),
  -- The order of keys is that of a file's metadata and of a view's sources, which jsonb does not keep.
  alter column request type json,
  alter column features drop not null,
  alter column rows drop not null;
alter table nightshift.shards
  add column buckets jsonb,
  add column bytes bigint,
  alter column first_row drop not null,
  alter column rows drop not null;
