-- The ticks at which a digest was mailed: the row and the mails are written in one transaction, so each goes out once.
create table nightshift.digests (
  due_at   timestamptz primary key,
  sent_at  timestamptz not null default now()
);
