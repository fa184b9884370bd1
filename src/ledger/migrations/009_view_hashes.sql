-- The identity of a view does not cover paths any more, nor sources that its SQL does not read. What builds before have
-- called a definition, and what it is called now: for their training sets, whose manifests name it.
create table nightshift.former_view_hashes (
  former  text primary key,
  hash    text not null,
  since   timestamptz not null default now()
);
