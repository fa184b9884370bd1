-- Under which horizon and lag a night's labels are awaited, or were measured, as model.yaml wrote them then: a changed horizon
-- moves the nights that wait, and leaves those that are measured. Null for nights that are older than these columns.
alter table nightshift.outcomes add column horizon text, add column lag text;

-- Years of measured nights: those that wait are few.
create index outcomes_immature on nightshift.outcomes (model) where state = 'immature';
