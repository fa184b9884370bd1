-- The planner's slots, but for those that only backfills are at: those with an open run, those expected or asked for, those with
-- a schedule due since $1, those past a deadline at $2 that is not reported yet, those that people asked for since $1, which no
-- schedule may know yet, those left in the middle of their publication, and the features of the same labels.
-- `view`: that of the version named in a request.
with chosen as (
  select slot as id from nightshift.runs
   where state in ('waiting', 'queued', 'running', 'publishing') and backfill is null
  union
  select id from nightshift.slots where state = 'publishing'
  union
  select id from nightshift.slots where state = 'expected' and request is null
  union
  select id from nightshift.slots where deadline < $2 and not late and state not in ('published', 'skipped')
  union
  select id from nightshift.slots where request is not null and request->>'backfill' is null
  union
  select id from nightshift.slots where due >= $1 and schedule is not null
  union
  select id from nightshift.slots where as_of >= $1 and schedule is null
)
select s.kind, s.name, s.as_of, s.partition, s.state, s.schedule, s.due, s.deadline, s.reason, s.waits_for, s.request, s.run,
       s.published_run, s.changed_at, s.late, v.view
  from nightshift.slots s
  left join nightshift.versions v on v.model = s.name and v.version = (s.request->>'version')::int and s.kind = 'scores'
 where s.id in (select id from chosen)
    or (s.kind = 'features'
        and s.partition in (select partition from nightshift.slots where kind = 'scores' and id in (select id from chosen)))
