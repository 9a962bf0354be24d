-- event_types: the catalogue. Reference data (95_seeds/10_reference.sql); a test holds every recorded type to it.
create table public.event_types (
  name text primary key check (name ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$'),
  version integer not null default 1,
  description text not null
);
comment on table public.event_types is 'Every type of event that the log holds and a webhook can subscribe to.';

create trigger _500_record after insert or update or delete on public.event_types
  for each row execute function private.tg_record_change('event_type');
alter table public.event_types enable always trigger _500_record;
