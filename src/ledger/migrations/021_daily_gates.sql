-- What the readiness gate said of each champion, once a day in the project's zone.
create table nightshift.daily_gates (
  model    text not null,
  day      date not null,
  version  integer not null,
  -- as the history keeps it at a promotion: at, ready, items with status and evidence
  gate     jsonb not null,
  at       timestamptz not null default now(),
  primary key (model, day)
);
