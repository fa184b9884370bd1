-- The slots that backfills have asked for, and the features that these need; of those whose view no version names, all
-- features of the same label. `view`: that of the version named in a request. A slot whose features are at work is left out:
-- it only waits, as thousands may.
with asked as (
  select s.id, s.partition, n.view as named, coalesce(n.view, c.view) as view
    from nightshift.slots s
    left join nightshift.versions n on n.model = s.name and n.version = (s.request->>'version')::int and s.kind = 'scores'
    left join (nightshift.champions h join nightshift.versions c on c.model = h.model and c.version = h.version)
      on h.model = s.name and s.kind = 'scores'
   where s.request is not null and s.request->>'backfill' is not null
     and not exists (select from nightshift.slots f
                      where f.kind = 'features' and f.name = coalesce(n.view, c.view) and f.partition = s.partition
                        and s.kind = 'scores' and f.state in ('waiting', 'queued', 'running', 'publishing'))
)
select s.kind, s.name, s.as_of, s.partition, s.state, s.schedule, s.due, s.deadline, s.reason, s.waits_for, s.request, s.run,
       s.published_run, s.changed_at, s.late, a.named as view
  from nightshift.slots s left join asked a on a.id = s.id
 where a.id is not null
    or (s.kind = 'features'
        and ((s.name, s.partition) in (select view, partition from asked)
             or s.partition in (select partition from asked where view is null)))
