-- The planner's slots: those that are not at rest, those with a schedule due since $1, those past a deadline at $2
-- that is not reported yet, those that people asked for since $1, which no schedule may know yet, and the features of the
-- same labels. `view`: that of the version named in a request.
with chosen as (
  select * from nightshift.slots
   where state in ('expected', 'waiting', 'queued', 'running', 'publishing')
      or (due >= $1 and schedule is not null)
      or (as_of >= $1 and schedule is null)
      or request is not null
      or (deadline < $2 and not late and state not in ('published', 'skipped'))
)
select s.*, v.view
  from nightshift.slots s
  left join nightshift.versions v on v.model = s.name and v.version = (s.request->>'version')::int and s.kind = 'scores'
 where s.id in (select id from chosen)
    or (s.kind = 'features' and s.partition in (select partition from chosen where kind = 'scores'))
