-- Who is mailed only if nobody acknowledges an incident in time waits among its readers, due at that time.
alter table nightshift.incident_readers drop constraint incident_readers_reason_check;
alter table nightshift.incident_readers add constraint incident_readers_reason_check
  check (reason in ('opened', 'joined', 'repeat', 'cleared', 'escalated'));
