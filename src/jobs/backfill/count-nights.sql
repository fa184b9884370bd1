-- Nights of backfill $1: `left` are not asked for yet, `active` are asked for and have not ended. A night whose features
-- have failed or are held has ended too: its scores follow by themselves once somebody has seen to the view.
select count(*) filter (where n.slot is null) as left,
       count(*) filter (where
         exists (select from nightshift.runs r where r.slot = s.id and r.backfill = n.backfill
                  and r.state in ('waiting', 'queued', 'running', 'publishing'))
         or ((s.request->>'backfill')::bigint = n.backfill
             and not exists (select from nightshift.slots f
                              where f.kind = 'features' and f.name = v.view and f.as_of = s.as_of
                                and f.state in ('failed', 'held')))) as active
  from nightshift.backfill_nights n
  join nightshift.backfills b on b.id = n.backfill
  left join nightshift.slots s on s.id = n.slot
  left join nightshift.champions c on c.model = b.model
  left join nightshift.versions v on v.model = b.model and v.version = coalesce(n.version, c.version)
 where n.backfill = $1
