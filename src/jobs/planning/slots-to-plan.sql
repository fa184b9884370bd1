-- What the planner looks at: slots that are not at rest, those that a schedule has due since $1, those past a deadline at $2 of which
-- nobody has been told, and the features of the same labels. `view`: that of the version which a request names.
with chosen as (
  select * from nightshift.slots
   where state in ('expected', 'waiting', 'queued', 'running', 'publishing')
      or (due >= $1 and schedule is not null)
      or request is not null
      or (deadline < $2 and not late and state not in ('published', 'skipped'))
)
select s.*, v.view
  from nightshift.slots s
  left join nightshift.versions v on v.model = s.name and v.version = (s.request->>'version')::int and s.kind = 'scores'
 where s.id in (select id from chosen)
    or (s.kind = 'features' and s.partition in (select partition from chosen where kind = 'scores'))
