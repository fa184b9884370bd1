-- Two years of nights of every model. Temporary tables before: models (i, model, view), nights (n, as_of, label), where
-- n counts back from tonight (0), and ahead below it; profiles (i, v, profile), figures (i, v, position, column_name,
-- is_score, figures), reports (v, report), letters (text, html, picture).

-- Which way each slot went: one in fifty fails first and is mended, one in five hundred is skipped.
create temporary table plan as
select m.i, m.model, m.view, d.n, d.as_of, d.label, kind,
       case kind when 'scores' then m.model else m.view end as name,
       left(kind, 1) || lpad(m.i::text, greatest(2, length(m.i::text)), '0') || 'n' || lpad(d.n::text, 4, '0') as id,
       case when d.n < 0 then 'expected'
            when d.n = 0 and m.i = 3 and kind = 'scores' then 'held'
            when d.n = 0 and m.i = 7 and kind = 'scores' then 'failed'
            when r < 0.002 then 'skipped'
            else 'published' end as state,
       r between 0.002 and 0.022 as mended,
       d.as_of + interval '2 hours' as due,
       d.as_of + interval '2 hours' + m.i * interval '20 seconds'
         + case kind when 'scores' then interval '90 seconds' else interval '0' end + r * interval '60 seconds' as began,
       1 + greatest(0, (729 - d.n) / 90) as version,
       r
  from (select *, random() as r from models cross join (values ('features'), ('scores')) k (kind) cross join nights) x
  cross join lateral (select x.i, x.model, x.view) m
  cross join lateral (select x.n, x.as_of, x.label) d;

insert into nightshift.slots (kind, name, as_of, partition, state, schedule, due, deadline, late, reason, run, published_run, published_at, changed_at)
select kind, name, as_of, label, state, 'nightly', due, as_of + interval '6 hours', false,
       case state when 'skipped' then 'not needed (ann)' end,
       case when state in ('published', 'held', 'failed') then id end,
       case state when 'published' then id end,
       case state when 'published' then began + interval '40 seconds' end,
       case when n < 0 then now() else began + interval '40 seconds' end
  from plan;

create temporary table run_plan as
select p.*, s.id as slot, false as first from plan p join nightshift.slots s using (kind, name, as_of)
 where p.state in ('published', 'held', 'failed')
union all
select p.*, s.id as slot, true as first from plan p join nightshift.slots s using (kind, name, as_of)
 where p.mended and p.state = 'published';

insert into nightshift.runs (id, slot, kind, name, as_of, partition, state, trigger, version, settings, attempt, fence,
  known_at, path, rows, bytes, sha256, view_hash, metadata, checks, inputs, warnings, summary, failure, requested_by,
  created_at, started_at, ended_at)
select case when first then 'x' || id else id end, slot, kind, name, as_of, label,
       case when first then 'failed' else state end,
       case when mended and not first then 'retry' else 'schedule' end,
       case kind when 'scores' then version end,
       '{"attempts": 5, "backoff_ms": 30000, "timeout_ms": 1800000, "wait_until": null}', 1, 1, began,
       case when not first and state = 'published'
            then kind || '/' || name || '/as_of=' || label || '/' || kind || '.parquet' end,
       100000, 4000000, md5(id) || md5(name), md5(name) || md5(name), '{"model": "as it was", "version": "1"}',
       (select jsonb_agg(jsonb_build_object('id', 'column.' || c, 'kind', 'column.max_null_rate', 'column', 'column' || c,
          'passed', not (state = 'held' and c = 1), 'observed', 0.01, 'bound', 0.05,
          'message', 'column' || c || ': 1 % of the values are null, at most 5 % may be', 'samples', '[]'::jsonb))
          from generate_series(1, 16) c),
       (select jsonb_agg(jsonb_build_object('source', 'events', 'path', 'data/events/part-' || f || '.parquet', 'size', 1000000,
          'modified', as_of, 'rows', 500000, 'newest', as_of, 'visible', jsonb_build_object('rows', 500000, 'sum', '123456789', 'of', 'kind', 'whole', true)))
          from generate_series(1, 6) f),
       '[]', '{"mean": 0.3, "min": 0.001, "max": 0.98, "positive": 12000}',
       case when first or state = 'failed'
            then jsonb_build_object('class', (array['resource', 'transient', 'contract', 'bug'])[1 + (n + i) % 4],
                   'message', 'the engine said: out of memory while it sorted ' || (n * 7919 % 10007) || ' rows of part ' || i,
                   'anchor', '#resource', 'evidence', '{}'::jsonb)
            when state = 'held'
            then '{"class": "contract", "message": "column1: 6 % of the values are null", "anchor": "#contract", "evidence": {}}' end,
       case when mended and not first then 'ann' end,
       case when mended and not first then began + interval '20 minutes' else due end,
       case when mended and not first then began + interval '20 minutes' else began end,
       case when mended and not first then began + interval '21 minutes' else began + interval '40 seconds' end
  from run_plan;

insert into nightshift.attempts (run, number, fence, worker, started_at, ended_at, outcome, failure, steps)
select id, 1, 1, 'worker-1', started_at, ended_at, state, failure,
       case kind when 'features' then '[{"step": "resolve", "ms": 80}, {"step": "compute", "ms": 25000}, {"step": "publish", "ms": 300}]'
                 else '[{"step": "resolve", "ms": 60}, {"step": "score", "ms": 30000}, {"step": "publish", "ms": 250}]' end::jsonb
  from nightshift.runs;

insert into nightshift.standings (slot, run, at) select id, published_run, published_at from nightshift.slots
 where published_run is not null;

insert into nightshift.certificates (run, view, as_of, partition, against, checked_at, differing, report)
select id, name, as_of, label, 'recomputed', began + interval '3 minutes', 0,
       jsonb_build_object('rows', 100000, 'columns', 15, 'values', 1500000, 'differing', 0, 'rounding', 0, 'late', 0,
         'by_column', (select jsonb_agg(jsonb_build_object('column', 'column' || c, 'type', 'FLOAT', 'values', 100000,
            'differing', 0, 'rounding', 0, 'largest_difference', null, 'examples', '[]'::jsonb)) from generate_series(1, 15) c))
  from plan where kind = 'features' and state = 'published';

-- The registry: a new version every ninety days, shadowed for two weeks.
insert into nightshift.versions (model, version, sha256, bytes, file, view, view_hash, features_sql, inputs, output, mapping, dataset, registered_at, registered_by)
select model, v, md5(model || v) || md5(model), 500000, 'models/' || model || '/' || v || '/model.onnx', view,
       md5(view) || md5(view), 'SELECT customer_id, max(tenure_days) FROM events GROUP BY customer_id', '["tenure_days"]',
       '{"name": "probabilities", "type": "float32", "shape": [null, 2]}',
       '{"inputs": [], "output": {"name": "probabilities", "type": "float32", "shape": [null, 2], "classes": [0, 1], "class": 1, "label": 1}, "batch": null, "zipMap": false, "warnings": []}',
       'd' || v || 'a9c0b1d', as_of, 'ann'
  from models cross join generate_series(1, 9) v join nights on n = greatest(0, 729 - (v - 1) * 90);

insert into nightshift.champions (model, version, since)
select model, 9, (select as_of from nights where n = 9) from models;

insert into nightshift.baselines (model, version, dataset, profile)
select v.model, v.version, v.dataset, jsonb_build_object('text', 'holdout of ' || v.dataset, 'kind', 'holdout', 'dataset', v.dataset,
         'rows', 100000, 'profile', p.profile, 'by_as_of', '[]'::jsonb)
  from nightshift.versions v join models m using (model) join profiles p on p.i = m.i and p.v = 0;

insert into nightshift.evaluations (model, version, dataset, at, by, passed, report)
select v.model, v.version, v.dataset, v.registered_at, 'ann', true, r.report
  from nightshift.versions v cross join (select report from reports where v = 0) r;

insert into nightshift.history (at, model, event, version, from_version, by, reason, evidence)
select registered_at + hours * interval '1 hour', model, event, version,
       case event when 'promoted' then nullif(version - 1, 0) end, 'ann', null, '{"auc": 0.78}'
  from nightshift.versions cross join (values (0, 'registered'), (1, 'evaluated'), (14 * 24, 'promoted')) e (hours, event)
 order by 1;

insert into nightshift.shadow_scores (model, version, as_of, partition, role, features_run, path, rows, sha256, metadata, summary, at)
select model, version + 1, as_of, label, 'challenger', 'f' || substr(id, 2), 'shadow/' || model, 100000, md5(id), '{}',
       '{"mean": 0.31, "positive": 12500}', began + interval '2 minutes'
  from plan where kind = 'scores' and state = 'published' and version < 9 and (729 - n) % 90 > 75;

-- What each night looked like, and what came of it.
insert into nightshift.profiles (run, model, version, as_of, partition, backfilled, rows, profile, reference, estimate, seconds, at)
select p.id, p.model, p.version, p.as_of, p.label, false, 100000, d.profile, 'holdout of d' || p.version || 'a9c0b1d',
       '{"auc": 0.77, "rate": 0.04}', 0.4, p.began + interval '1 minute'
  from plan p join profiles d on d.i = p.i and d.v = p.n % 8
 where p.kind = 'scores' and p.state = 'published';

insert into nightshift.drift (run, model, as_of, partition, position, column_name, is_score, figures, drifted, alerting)
select p.id, p.model, p.as_of, p.label, f.position, f.column_name, f.is_score,
       case when moved then jsonb_set(f.figures, array[f.figures ->> 'statistic'], '0.3') else f.figures end, moved, moved
  from plan p join figures f on f.i = p.i and f.v = p.n % 8
  cross join lateral (select (p.n + f.position * 37) % 211 < 3 as moved) m
 where p.kind = 'scores' and p.state = 'published';

insert into nightshift.outcomes (model, as_of, partition, run, version, state, matures_at, measured_at, report)
select p.model, p.as_of, p.label, p.id, p.version, case when n > 30 then 'measured' else 'immature' end, p.as_of + interval '30 days',
       case when n > 30 then p.as_of + interval '31 days' end, case when n > 30 then r.report end
  from plan p join reports r on r.v = p.n % 8
 where p.kind = 'scores' and p.state = 'published';

-- Incidents: those of the mended nights are closed, tonight's two are open.
create temporary table trouble as
select row_number() over (order by p.began, p.name) as number, p.*, r.failure, r.id as run,
       case when p.kind = 'scores' then 'model' else 'view' end as subject_kind, p.state in ('held', 'failed') as open
  from run_plan p join nightshift.runs r on r.slot = p.slot and r.failure is not null
 where p.first or p.state in ('held', 'failed');

insert into nightshift.incidents (subject_kind, subject, kind, opened_at, closed_at, detail)
select subject_kind, name, failure ->> 'class', began + interval '1 minute', case when not open then began + interval '22 minutes' end,
       jsonb_build_object('facts', jsonb_build_object(
           'project', 'history', 'timezone', 'UTC', 'subject', name, 'subjectKind', subject_kind, 'description', 'What it is about',
           'owner', 'team@example.com', 'onCall', '["oncall@example.com"]'::jsonb, 'consumers', '["CRM list"]'::jsonb,
           'failure', failure, 'state', case when state = 'held' then 'held' else 'failed' end, 'partition', label, 'run', run,
           'slot', name || ':' || label, 'schedule', 'nightly', 'since', began, 'deadline', as_of + interval '6 hours',
           'attempts', jsonb_build_array(jsonb_build_object('number', 1, 'startedAt', began, 'endedAt', began, 'outcome', 'failed', 'message', failure ->> 'message')),
           'checks', '[]'::jsonb, 'runbook', 'models/' || model || '/RUNBOOK.md'),
         'nights', jsonb_build_array(jsonb_build_object('partition', label, 'run', run, 'slot', name || ':' || label, 'state', 'failed',
           'failedAt', began, 'late', false, 'recovered', case when open then null else
             jsonb_build_object('at', began + interval '22 minutes', 'how', 'published', 'run', id, 'rows', 100000, 'by', 'ann') end)))
  from trouble order by number;

insert into nightshift.threads (recipient, subject, root, created_at)
select 'oncall@example.com', '[nightshift] ' || subject || ': ' || kind, '<' || id || '@history>', opened_at from nightshift.incidents order by id;

insert into nightshift.incident_readers (incident, recipient, thread, reason, last_mail_at, mails)
select id, 'oncall@example.com', id, case when closed_at is null then 'repeat' else 'cleared' end, opened_at + interval '1 minute', 2
  from nightshift.incidents;

insert into nightshift.incident_events (incident, at, event, run, partition, detail)
select i.id, i.opened_at + at * interval '1 minute', event, null, null, '{}'
  from nightshift.incidents i cross join (values (0, 'opened'), (1, 'mailed'), (20, 'cleared')) e (at, event)
 where event <> 'cleared' or closed_at is not null;

insert into nightshift.outbox (thread, recipient, subject, message_id, body_text, body_html, attachments, created_at, due_at, tries, sent_at, transport)
select t.id, t.recipient, t.subject, '<' || t.id || '.' || part || '@history>', l.text, l.html,
       case when part = 1 and t.id % 4 = 0 then jsonb_build_array(jsonb_build_object('filename', 'drift.png', 'cid', 'drift',
         'contentType', 'image/png', 'content', l.picture)) else '[]' end,
       t.created_at, t.created_at, 1, t.created_at + interval '5 seconds', 'smtp'
  from nightshift.threads t cross join letters l cross join generate_series(1, 3) part order by t.id, part;

insert into nightshift.schedules (name, first_seen_at, definition, seen_at)
select 'nightly', min(as_of), '{}', now() from nights;
