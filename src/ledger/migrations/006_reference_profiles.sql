-- What a night was compared with, for its pictures of before and after: Profile. One row a night whose reference is other
-- nights added up; none where it is the baseline of its version, which is stored once. Nights that were compared before
-- there was this table have none either.
create table nightshift.reference_profiles (
  run      text primary key references nightshift.profiles on delete cascade,
  profile  jsonb not null
);
