-- What a search for leaks found, kept as evidence: it takes long, and finds the same in the same files by the same rules.
create table nightshift.leak_checks (
  id             bigint generated always as identity primary key,
  model          text not null,
  view           text not null,
  -- of the definitions that were examined, of the files that they read, and of the program that looked
  subject        text not null,
  labelled_rows  bigint not null,
  -- messages of what is more than a suspicion; none: no leak
  leaks          text[] not null,
  checked_at     timestamptz not null default now()
);
create index leak_checks_by_subject on nightshift.leak_checks (model, subject, id desc);
