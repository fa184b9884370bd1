-- What a process that takes jobs is, for those who look at many: its version, the memory that its tasks may use together, and what
-- it takes: {only, models, views}, each a list or null for all. Null where its build is older than this column.
alter table nightshift.processes
  add column version text,
  add column memory bigint,
  add column takes jsonb;
