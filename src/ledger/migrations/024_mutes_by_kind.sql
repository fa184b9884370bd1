-- A mute of one kind of incident leaves the others loud. `all`: every kind.
alter table nightshift.mutes
  add column kind text not null default 'all',
  add column at timestamptz not null default now();
alter table nightshift.mutes drop constraint mutes_pkey;
alter table nightshift.mutes add primary key (subject, kind);
