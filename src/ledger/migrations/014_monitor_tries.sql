-- Looks at published nights that failed by something passing: how often, and when the next is due.
create table nightshift.monitor_tries (
  -- parity, monitor, shadow
  monitor  text not null,
  -- The run that is looked at; of shadow model, version and partition.
  subject  text not null,
  tries    integer not null,
  next_at  timestamptz not null,
  primary key (monitor, subject)
);
