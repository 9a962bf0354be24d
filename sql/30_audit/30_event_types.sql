-- event_types: the catalogue. Reference data (95_seeds/15_event_types.sql); what the tests record is validated against it, docs/events.md is written from it.
-- Next: 35_event_schemas.sql (the schemas of governed tables), 50_webhooks (who subscribes).
create table public.event_types (
  name text primary key check (name ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$'),
  version integer not null default 1,
  description text not null,
  schema jsonb not null check (jsonb_typeof(schema) = 'object'),
  example jsonb not null check (jsonb_typeof(example) = 'object'),
  check (name not like 'custom.%') -- customers' own
);
comment on table public.event_types is 'Every type of event of Gatehouse''s own that the log holds and a webhook can subscribe to. Customers'' own: custom_event_types.';
comment on column public.event_types.schema is 'JSON Schema 2020-12 of `data`. Of <kind>.created, .updated and .deleted: made from the catalog of tables by private.change_schema.';
comment on column public.event_types.example is 'A `data` that the schema takes.';

create trigger _500_record after insert or update or delete on public.event_types
  for each row execute function private.tg_record_change('event_type', 'example');
alter table public.event_types enable always trigger _500_record;
