-- What a definition of a view promises from its first use on: the types of its folders' keys, and, from its first
-- publication on, the names and types of its columns. `sources` are the types that were read then, to say what changed.
create table nightshift.view_promises (
  view       text not null,
  view_hash  text not null,
  keys       jsonb not null,
  columns    jsonb,
  sources    jsonb,
  run        text,
  partition  text,
  since      timestamptz not null default now(),
  primary key (view, view_hash)
);
