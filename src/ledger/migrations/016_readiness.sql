-- What people add to the evidence of the gate. Nothing here is ever changed: a newer row replaces an older one.

create table nightshift.waivers (
  id          bigint generated always as identity primary key,
  model       text not null,
  item        text not null,
  -- the last day on which it holds, in the project's zone
  until       date not null,
  reason      text not null,
  by          text not null,
  os_user     text not null,
  host        text not null,
  at          timestamptz not null default now()
);
create index waivers_by_model on nightshift.waivers (model, item, id desc);

create table nightshift.acceptances (
  id          bigint generated always as identity primary key,
  model       text not null,
  -- the version that was taken over; null: there was none yet
  version     integer,
  owner       text not null,
  by          text not null,
  os_user     text not null,
  host        text not null,
  at          timestamptz not null default now()
);
create index acceptances_by_model on nightshift.acceptances (model, id desc);
