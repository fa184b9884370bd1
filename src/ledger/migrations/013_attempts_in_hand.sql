-- An attempt is alive while its worker names it, which it does with every heartbeat. Null for attempts of workers that are
-- older than this column: they count as alive while their process does.
alter table nightshift.attempts add column seen_at timestamptz;
