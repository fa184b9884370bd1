-- Claims the next due mail or post for one sender: $1 now, $2 end of the claim, $3 claim id, $4 a single one or null,
-- $5 its kind or null. A mail
-- waits for the earlier mails of its thread, so that a thread arrives in order, but for at most ten minutes: one
-- undeliverable mail must not block the rest.
update nightshift.outbox
   set claimed_until = $2, claim = $3
 where id = (
   select o.id
     from nightshift.outbox o
    where o.sent_at is null and o.gave_up_at is null and o.due_at <= $1
      and (o.claimed_until is null or o.claimed_until <= $1)
      and ($4::bigint is null or o.id = $4) and ($5::text is null or o.kind = $5)
      and not exists (
        select from nightshift.outbox e
         where e.thread = o.thread and e.id < o.id and e.sent_at is null and e.gave_up_at is null
           and o.created_at > $1::timestamptz - interval '10 minutes')
    order by o.due_at, o.id
    limit 1
      for update skip locked)
returning id, kind, thread, recipient, subject, message_id, in_reply_to, refs, body_text, body_html, attachments, created_at, tries
