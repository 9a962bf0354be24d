-- audit_personal: the personal values of the log, beside it. The event holds null in their place and SHA-256(salt ‖ value) in `personal`; so value and salt can
-- go (75_erasure.sql, 70_retention.sql) and the event stays as it was sealed. Which columns are personal: the third argument of a table's _500_record.
create table private.audit_personal (
  tenant_id uuid not null,
  event_recorded_at timestamptz not null,
  event_id uuid not null,
  slot text not null check (slot in ('actor', 'target')),
  user_id uuid,
  salt bytea not null check (length(salt) = 32),
  value jsonb not null check (jsonb_typeof(value) = 'object'),
  primary key (tenant_id, event_recorded_at, event_id, slot)
);
comment on table private.audit_personal is
  'Personal values of events. Written by private.record_event, removed by erasure and retention, never changed.';
comment on column private.audit_personal.slot is
  'actor: where the request came from. target: what the event says of a person, or where an attempt on their account came from. custom events: 62_custom_event_persons.sql.';
comment on column private.audit_personal.user_id is
  'users.id of whom the values are about; null when it is nobody with a row. No foreign key: it outlives the row.';
comment on column private.audit_personal.salt is
  'Random, so that nobody who holds the log can try addresses against the commitment.';
comment on column private.audit_personal.value is
  '{path: value}, the path as context.address or data.after.email.';
create index audit_personal_user_id_idx on private.audit_personal (user_id)
  where user_id is not null;

create function private.with_personal(p_event public.audit_events) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_event jsonb := to_jsonb(p_event) - 'xid';
  v_path text;
  v_value jsonb;
begin
  if p_event.personal is not null then
    for v_path, v_value in
      select v.key, v.value
        from private.audit_personal p, jsonb_each(p.value) v
       where p.tenant_id = p_event.tenant_id and p.event_recorded_at = p_event.recorded_at
         and p.event_id = p_event.id
    loop
      v_event := jsonb_set(v_event, string_to_array(v_path, '.'), v_value);
    end loop;
  end if;
  return v_event;
end;
$$;
comment on function private.with_personal(public.audit_events) is
  'The event as one object, its personal values in their places; null where they are erased. Definer: the table is private, and callers ask through what checks audit.read.';

create function private.merge_personal(
  p_event public.audit_events, out actor jsonb, out targets jsonb, out data jsonb, out context jsonb
)
language plpgsql stable set search_path = ''
as $$
declare
  v_event jsonb;
begin
  actor := p_event.actor;
  targets := p_event.targets;
  data := p_event.data;
  context := p_event.context;
  if p_event.personal is not null then
    v_event := private.with_personal(p_event);
    actor := v_event -> 'actor';
    targets := v_event -> 'targets';
    data := v_event -> 'data';
    context := v_event -> 'context';
  end if;
end;
$$;
comment on function private.merge_personal(public.audit_events) is
  'The columns of an event that may hold personal values, with them in their places.';

create function private.personal_of(p_event public.audit_events) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_object_agg(v.key, v.value)
    from private.audit_personal p, jsonb_each(p.value) v
   where p.tenant_id = p_event.tenant_id and p.event_recorded_at = p_event.recorded_at
     and p.event_id = p_event.id
$$;
comment on function private.personal_of(public.audit_events) is
  'The personal values beside an event: {path: value}; null when there are none.';
