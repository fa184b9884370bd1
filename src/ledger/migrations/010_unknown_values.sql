-- Rows whose value the model does not know, by column, with examples and with what it knows.
alter table nightshift.runs add column unknown_values jsonb not null default '[]';
