-- audit_events: the one log. Append-only: nobody has update or delete, and no foreign key points into it. Webhooks, sinks and the events API all read it.
-- Partitioned by month of recorded_at, partitions in schema private (HTTP sees the parent only), twelve months ahead and a default.
-- Personal values stand beside it (60_personal.sql): the row holds null in their place and a commitment, so that erasing them alters no event.
-- Next: 20_sequence.sql (the order readers page by), 50_webhooks/30_deliver.sql (_900_deliver).
create table public.audit_events (
  tenant_id uuid not null,
  recorded_at timestamptz not null default clock_timestamp(),
  id uuid not null default private.uuid_v7(),
  type text not null check (type ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$'),
  version integer not null default 1,
  occurred_at timestamptz not null,
  actor jsonb not null,
  targets jsonb not null,
  data jsonb not null,
  context jsonb not null,
  personal jsonb,
  xid xid8 not null default pg_current_xact_id(),
  primary key (tenant_id, recorded_at, id)
) partition by range (recorded_at);
comment on table public.audit_events is 'What happened, once each, never changed. Written by private.record_event only.';
comment on column public.audit_events.actor is '{kind: user | service | system | anonymous | operator, id}; of a customer''s event also name, which is personal and stands beside.';
comment on column public.audit_events.targets is '[{kind, id}], the thing itself first; of a customer''s event also name and metadata, personal and beside.';
comment on column public.audit_events.context is '{request_id, trace_id, traceparent, address, user_agent, client_id, auth_method, recorded_by}, what is known of them; recorded_by {kind, id}: who sent a customer''s event; the address and the user agent are personal and stand beside.';
comment on column public.audit_events.personal is
  'Commitments to the personal values beside it: {slot: hex SHA-256}, null when there are none. The values: private.audit_personal.';
comment on column public.audit_events.xid is 'The transaction that wrote it: the sequencer takes only those older than every running one.';
create index audit_events_xid_idx on public.audit_events (xid);
create index audit_events_type_idx on public.audit_events (tenant_id, type, recorded_at desc);

create table private.audit_events_default partition of public.audit_events default;
comment on table private.audit_events_default is 'Catches what no month holds; rows here are an alarm.';

create function private.create_partitions() returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_month date;
  v_made integer := 0;
begin
  for v_month in
    select generate_series(date_trunc('month', now()),
      date_trunc('month', now()) + interval '12 months', interval '1 month')::date
  loop
    if to_regclass(format('private.audit_events_%s', to_char(v_month, 'YYYY_MM'))) is null then
      execute format(
        'create table private.audit_events_%s partition of public.audit_events for values from (%L) to (%L)',
        to_char(v_month, 'YYYY_MM'), v_month, v_month + interval '1 month');
      v_made := v_made + 1;
    end if;
  end loop;
  return v_made;
end;
$$;
comment on function private.create_partitions() is 'Makes the months that are missing, this one and twelve ahead; returns how many. Definer: only the owner may attach a partition.';

select private.create_partitions();
