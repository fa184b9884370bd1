-- Backfills can be paused and cancelled: what was asked for and has not begun goes back to what it was.

alter table nightshift.backfill_nights
  -- {state, reason, due, run} of the slot before it was asked for; null where there was none
  add column was          jsonb,
  -- the same of the view's slot, where `refresh` asked for it, and the run that it was given
  add column refresh_was  jsonb,
  add column refresh_run  text,
  -- how the night ended: published, failed, held; null before that
  add column outcome      text;

drop index nightshift.backfill_nights_to_ask;
create index backfill_nights_to_ask on nightshift.backfill_nights (backfill, position) where slot is null;
create index backfill_nights_under_way on nightshift.backfill_nights (backfill)
  where slot is not null and outcome is null;
create index runs_by_backfill on nightshift.runs (backfill) where backfill is not null;
