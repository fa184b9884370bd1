-- What people try on purpose, and who read the runbook: evidence for the readiness gate.

-- One row a drill. It is evidence for this version and this view, and for no other.
create table nightshift.drills (
  id          bigint generated always as identity primary key,
  model       text not null,
  kind        text not null check (kind in ('rollback', 'failure', 'alert', 'drift')),
  version     integer,
  view_hash   text,
  passed      boolean not null,
  -- the figure: to the moment that readers see the old scores, that the next attempt has published, that the alert fired
  seconds     double precision,
  -- one sentence
  note        text not null,
  by          text,
  os_user     text not null,
  host        text not null,
  at          timestamptz not null default now()
);
create index drills_by_model on nightshift.drills (model, kind, id desc);

-- Test mails that carry a code. An address counts as reached once its code has come back.
create table nightshift.alert_tests (
  code        text primary key,
  recipient   text not null,
  sent_at     timestamptz not null default now(),
  acked_at    timestamptz,
  acked_by    text,
  os_user     text,
  host        text
);
create index alert_tests_by_recipient on nightshift.alert_tests (recipient, acked_at desc nulls last);

create table nightshift.runbook_reviews (
  id          bigint generated always as identity primary key,
  model       text not null,
  -- of the file that was read
  sha256      text not null,
  by          text not null,
  os_user     text not null,
  host        text not null,
  at          timestamptz not null default now()
);
create index runbook_reviews_by_model on nightshift.runbook_reviews (model, id desc);
