-- Tens of thousands of back-filled nights are open at a time. What pages and the planner look for among them is little.
create index slots_failed on nightshift.slots (as_of desc) where state in ('failed', 'held');
create index slots_by_deadline on nightshift.slots (deadline)
  where deadline is not null and state not in ('published', 'skipped');
create index slots_expected on nightshift.slots (id) where state = 'expected' and request is null;
create index slots_publishing on nightshift.slots (id) where state = 'publishing';
create index slots_last_published on nightshift.slots (kind, name, as_of) where published_run is not null;
create index slots_asked on nightshift.slots (id) where request is not null;
