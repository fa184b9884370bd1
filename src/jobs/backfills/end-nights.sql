-- Records how the requested nights of backfill $1 ended. A night whose features failed or are held has ended too: its
-- scores follow automatically once the view is fixed.
update nightshift.backfill_nights n
   set outcome = case when s.state in ('published', 'held') then s.state else 'failed' end
  from nightshift.slots s, nightshift.backfills b
 where n.backfill = $1 and n.slot is not null and n.outcome is null
   and s.id = n.slot and b.id = n.backfill
   and not exists (select from nightshift.runs r where r.slot = s.id
                    and r.state in ('waiting', 'queued', 'running', 'publishing'))
   and (s.request is null
        or exists (select from nightshift.slots f
                     left join nightshift.champions c on c.model = b.model
                     join nightshift.versions v on v.model = b.model and v.version = coalesce(n.version, c.version)
                    where f.kind = 'features' and f.name = v.view and f.partition = s.partition
                      and f.state in ('failed', 'held')))
