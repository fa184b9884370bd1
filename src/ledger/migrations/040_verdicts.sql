-- What readers were told about each list: may it be used? One row from one answer to the next (src/monitoring/trust/verdict-records.ts).
create table nightshift.verdicts (
  id           bigint generated always as identity primary key,
  slot         bigint not null references nightshift.slots on delete cascade,
  -- the published run that it is about
  run          text not null,
  answer       text not null check (answer in ('no', 'check', 'unknown', 'not yet', 'yes')),
  -- what decided it, in words; empty for a yes
  why          text not null,
  -- all reasons, as the page had them at that time: [{face, text}]
  reasons      jsonb not null,
  since        timestamptz not null,
  -- null: it still stands
  until        timestamptz,
  -- of the facts that it was last found to follow from; other facts are judged again
  subject      text not null,
  -- when the night's profile was recorded that it rests on; a profile that was pruned since changes nothing
  profiled_at  timestamptz
);
create unique index standing_verdict on nightshift.verdicts (slot) where until is null;
create index verdicts_by_slot on nightshift.verdicts (slot, id);
create index verdicts_that_ended on nightshift.verdicts (until) where until is not null;
create index slots_computed_again on nightshift.slots (id) where published_run is not null and state <> 'published';
create index drift_that_alerts on nightshift.drift (run) where alerting;
