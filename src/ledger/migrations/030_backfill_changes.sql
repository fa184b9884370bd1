-- Who paused, continued or cancelled a backfill last, and when. Unknown where it was before this column.
alter table nightshift.backfills
  add column changed_by text,
  add column changed_at timestamptz;
