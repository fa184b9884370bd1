-- A feature may have the name of the scores' column: both are compared.
alter table nightshift.drift drop constraint drift_pkey, add primary key (run, is_score, column_name);
