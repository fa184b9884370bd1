-- The slots that running backfills have asked for, and the features of the same labels. `view`: that of the version named
-- in a request.
with chosen as (
  select id, partition from nightshift.slots where request->>'backfill' is not null
)
select s.*, v.view
  from nightshift.slots s
  left join nightshift.versions v on v.model = s.name and v.version = (s.request->>'version')::int and s.kind = 'scores'
 where s.id in (select id from chosen)
    or (s.kind = 'features' and s.partition in (select partition from chosen))
