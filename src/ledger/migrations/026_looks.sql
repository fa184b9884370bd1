-- Whether published features are what a run would compute now, as it was last seen. The answer stands while its subject does.
create table nightshift.looks (
  run      text primary key references nightshift.runs on delete cascade,
  -- of the view's definition, of the files that its sources name, and of the program that looked
  subject  text not null,
  -- why they are stale; null: they are not
  reason   text,
  at       timestamptz not null default now()
);
