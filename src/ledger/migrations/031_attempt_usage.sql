-- What an attempt's compute process used, in bytes: { memory, limit, spilled }. Unknown of attempts before this column.
alter table nightshift.attempts add column usage jsonb;
