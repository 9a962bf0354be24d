-- What POST /functions/v1/webhooks/endpoints/{id}/test calls as its caller: an event that never happened, made here so that it is written as others are,
-- and what came of it. Next: functions/webhooks/test_event.ts (how it is sent).

create table private.webhook_tests (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  begun_ats timestamptz[] not null default '{}' check (cardinality(begun_ats) <= 10),
  primary key (tenant_id, endpoint_id),
  foreign key (tenant_id, endpoint_id)
    references public.webhook_endpoints (tenant_id, id) on delete cascade
);
comment on table private.webhook_tests is 'When an endpoint was tested of late: ten times in any minute, never more. A test is a request to an address that a caller chose.';

create function private.take_webhook_test(p_tenant uuid, p_endpoint uuid) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_recent timestamptz[];
  v_now timestamptz;
begin
  insert into private.webhook_tests (tenant_id, endpoint_id) values (p_tenant, p_endpoint)
    on conflict do nothing;
  select begun_ats into strict v_recent from private.webhook_tests
   where tenant_id = p_tenant and endpoint_id = p_endpoint for update;
  v_now := clock_timestamp(); -- with the lock held
  v_recent := array(
    select t from unnest(v_recent) t where t > v_now - interval '1 minute' order by t);
  if cardinality(v_recent) >= 10 then
    return ceil(extract(epoch from v_recent[1] + interval '1 minute' - v_now));
  end if;
  update private.webhook_tests set begun_ats = v_recent || v_now
   where tenant_id = p_tenant and endpoint_id = p_endpoint;
  return 0;
end;
$$;
comment on function private.take_webhook_test(uuid, uuid) is
  'Counts one test of the endpoint, and returns 0; or how many seconds to wait, 1 to 60, when there were ten within a minute. Definer: the table is private; who calls it has checked webhooks.write.';

create function private.begin_webhook_test(p_tenant uuid, p_endpoint uuid, p_type text)
returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_opened jsonb := private.open_webhook_endpoint(p_tenant, p_endpoint); -- asks for the right
  v_type public.event_types;
  v_event public.audit_events;
  v_wait_seconds integer;
begin
  select * into v_type from public.event_types where name = p_type;
  if not found then
    perform private.refuse(422, 'event_type_unknown', format('There is no event type "%s" in the catalogue', p_type));
  end if;
  v_wait_seconds := private.take_webhook_test(p_tenant, p_endpoint);
  if v_wait_seconds > 0 then
    return jsonb_build_object('waitSeconds', v_wait_seconds);
  end if;
  v_event.tenant_id := p_tenant;
  v_event.id := private.uuid_v7();
  v_event.type := v_type.name;
  v_event.version := v_type.version;
  v_event.occurred_at := clock_timestamp();
  v_event.actor := private.current_actor();
  if v_type.name = 'webhook_endpoint.test' then
    v_event.data := jsonb_build_object('endpoint_id', p_endpoint);
    v_event.targets := jsonb_build_array(
      jsonb_build_object('kind', 'webhook_endpoint', 'id', p_endpoint));
  else
    v_event.data := v_type.example;
    -- The example's own thing, which is nobody's: a receiver may act on what it is told.
    v_event.targets := (
      select jsonb_build_array(jsonb_build_object('kind', split_part(v_type.name, '.', 1),
          'id', coalesce(r ->> 'id', r ->> 'key', '01990000-0000-7000-8000-000000000001')))
        from coalesce(v_type.example -> 'after', v_type.example -> 'before') r);
  end if;
  return jsonb_build_object('url', v_opened -> 'url', 'headers', v_opened -> 'headers',
    'secrets', v_opened -> 'secrets', 'eventId', v_event.id,
    'body', private.delivery_body(v_event));
end;
$$;
comment on function private.begin_webhook_test(uuid, uuid, text) is
  'An example of a type as an event of now, by the caller: {url, headers {keyId, ciphertext} | null, secrets [{id, scheme, keyId, ciphertext}], eventId, body: the exact bytes}, or {waitSeconds} when there were ten tests within a minute. Nothing is on record yet. '
  'Raises not_allowed, endpoint_not_found, event_type_unknown. Definer: secrets are private; checks webhooks.write itself.';

create function private.record_webhook_test(
  p_tenant uuid, p_endpoint uuid, p_status integer, p_error_class text
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(p_tenant, 'webhooks.write');
  perform from public.webhook_endpoints where tenant_id = p_tenant and id = p_endpoint;
  if not found then
    perform private.refuse(404, 'endpoint_not_found', format('There is no endpoint %s in tenant %s', p_endpoint, p_tenant));
  end if;
  perform private.record_event(p_tenant, 'webhook_endpoint.tested',
    jsonb_build_array(jsonb_build_object('kind', 'webhook_endpoint', 'id', p_endpoint)),
    jsonb_build_object('status', p_status, 'error_class', p_error_class));
end;
$$;
comment on function private.record_webhook_test(uuid, uuid, integer, text) is
  'webhook_endpoint.tested: what the receiver answered, or why there was no answer. Raises not_allowed, endpoint_not_found. Definer: callers cannot write events; checks webhooks.write itself.';
