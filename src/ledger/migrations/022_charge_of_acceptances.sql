-- Of the owner, on-call and consumers that somebody accepted: SHA-256. Null: accepted before it was recorded.
alter table nightshift.acceptances add column charge text;
