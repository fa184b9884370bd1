-- An outcome is of the night that its label names, as slots are: another time zone gives no night a second outcome.
-- Of two records, the measured one remains, else the newer.
delete from nightshift.outcomes o using nightshift.outcomes n
 where o.model = n.model and o.partition = n.partition
   and (n.state = 'measured', coalesce(n.measured_at, n.matures_at), n.as_of)
     > (o.state = 'measured', coalesce(o.measured_at, o.matures_at), o.as_of);
alter table nightshift.outcomes drop constraint outcomes_pkey, add primary key (model, partition);
create index outcomes_by_as_of on nightshift.outcomes (model, as_of);
