-- The running backfills for which there is something to do: a requested night has ended (as in end-nights.sql), or there is
-- room for another night, or no night is open any more. A look at each of a thousand backfills takes seconds.
select b.id, b.model, b.mode, b.max_active, b.forced, b.settings, b.by, b.created_at
  from nightshift.backfills b
  left join nightshift.champions c on c.model = b.model
 cross join lateral (
   select count(*) filter (where n.slot is not null) as active,
          count(*) filter (where n.slot is null) as ahead,
          bool_or(s.id is not null
                  and not exists (select from nightshift.runs r where r.slot = s.id
                                   and r.state in ('waiting', 'queued', 'running', 'publishing'))
                  and (s.request is null
                       or exists (select from nightshift.slots f
                                    join nightshift.versions v on v.model = b.model and v.version = coalesce(n.version, c.version)
                                   where f.kind = 'features' and f.name = v.view and f.partition = s.partition
                                     and f.state in ('failed', 'held')))) as has_ended
     from nightshift.backfill_nights n
     left join nightshift.slots s on s.id = n.slot
    where n.backfill = b.id and n.outcome is null) open
 where b.state = 'running'
   and (open.has_ended or (open.ahead > 0 and open.active < b.max_active) or open.active + open.ahead = 0)
 order by b.id
