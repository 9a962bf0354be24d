-- What PATCH and DELETE /functions/v1/webhooks/endpoints/{id} call as their caller: another address, and the end.
-- Locks, here as everywhere: the endpoint, its state, its deliveries. Next: functions/webhooks/app.ts.

create function private.move_webhook_endpoint(
  p_tenant uuid, p_endpoint uuid, p_url text, p_new_headers boolean default false
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
begin
  perform private.require_right(p_tenant, 'webhooks.write');
  select * into v_endpoint from public.webhook_endpoints
   where tenant_id = p_tenant and id = p_endpoint and removed_at is null for update;
  if not found then
    perform private.refuse(404, 'endpoint_not_found', format('There is no endpoint %s in tenant %s', p_endpoint, p_tenant));
  end if;
  -- What is shown to nobody is not sent to whom its caller names either.
  if not p_new_headers and cardinality(v_endpoint.header_names) > 0 and not exists (
    select from private.url_host(v_endpoint.url) o
      join private.url_host(p_url) n using (scheme, host, port))
  then
    perform private.put_webhook_headers(p_tenant, p_endpoint, '{}', null, null);
  end if;
  update public.webhook_endpoints set url = p_url
   where tenant_id = p_tenant and id = p_endpoint
  returning * into v_endpoint;
  return private.webhook_endpoint_json(v_endpoint);
end;
$$;
comment on function private.move_webhook_endpoint(uuid, uuid, text, boolean) is
  'Another address, which the door has judged; returns the endpoint as private.webhook_endpoint_json does. Headers do not follow to another scheme, host or port: they are erased, unless the caller puts new ones in the same transaction (p_new_headers). '
  'Raises not_allowed, endpoint_not_found. Definer: callers never write the column, and headers are private; checks webhooks.write itself.';

create function private.remove_webhook_endpoint(p_tenant uuid, p_endpoint uuid) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(p_tenant, 'webhooks.write');
  perform from public.webhook_endpoints where tenant_id = p_tenant and id = p_endpoint for update;
  if not found then
    perform private.refuse(404, 'endpoint_not_found', format('There is no endpoint %s in tenant %s', p_endpoint, p_tenant));
  end if;
  perform from public.webhook_endpoint_states s
    where s.tenant_id = p_tenant and s.endpoint_id = p_endpoint for update;
  update public.webhook_endpoints
     set enabled = false, disabled_reason = 'removed', header_names = '{}', removed_at = now()
   where tenant_id = p_tenant and id = p_endpoint and removed_at is null;
  -- An event that was being written beside an earlier removal, or one that a disabled endpoint had not caught up with.
  delete from private.webhook_catch_ups where tenant_id = p_tenant and endpoint_id = p_endpoint;
  update public.webhook_deliveries set state = 'cancelled', settled_at = clock_timestamp()
   where tenant_id = p_tenant and endpoint_id = p_endpoint and state = 'pending';
  delete from private.webhook_secrets where tenant_id = p_tenant and endpoint_id = p_endpoint;
  delete from private.webhook_headers where tenant_id = p_tenant and endpoint_id = p_endpoint;
end;
$$;
comment on function private.remove_webhook_endpoint(uuid, uuid) is
  'The end of an endpoint: disabled (removed), what waits for it is cancelled, its secrets and headers are erased, nobody sees or enables it again. Once more is no error. '
  'Raises not_allowed, endpoint_not_found. Definer: callers never write the columns, and secrets are private; checks webhooks.write itself.';
