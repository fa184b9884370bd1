-- What is posted to a webhook waits in the outbox beside the mails: its recipient is the URL, body_text the JSON that is sent.
alter table nightshift.outbox add column kind text not null default 'mail' check (kind in ('mail', 'post'));
