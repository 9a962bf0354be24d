-- After an outage: the receiver is well again, and whoever knows it need not wait for what its failures earned it.

create function public.resume_endpoint(tenant_id uuid, endpoint_id uuid) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
  v_state public.webhook_endpoint_states;
  v_count integer;
begin
  perform private.require_right(resume_endpoint.tenant_id, 'webhooks.write');
  select * into v_endpoint from public.webhook_endpoints e
   where e.tenant_id = resume_endpoint.tenant_id and e.id = resume_endpoint.endpoint_id
     and e.removed_at is null
   for update;
  if not found then
    perform private.refuse(404, 'endpoint_not_found', format('There is no endpoint %s in tenant %s', resume_endpoint.endpoint_id, resume_endpoint.tenant_id));
  elsif not v_endpoint.enabled then
    perform private.refuse(409, 'endpoint_disabled', 'A disabled endpoint gets nothing: enable it first');
  end if;
  select * into v_state from public.webhook_endpoint_states s
   where s.tenant_id = v_endpoint.tenant_id and s.endpoint_id = v_endpoint.id
   for update;
  -- Only those that are not due: one that is may be on its way, and behind a later place it would be claimed again.
  update public.webhook_deliveries d set next_attempt_at = now()
   where d.tenant_id = v_endpoint.tenant_id and d.endpoint_id = v_endpoint.id
     and d.state = 'pending' and d.next_attempt_at > now();
  get diagnostics v_count = row_count;
  if v_count = 0 and v_state.circuit <> 'open'
    and coalesce(v_endpoint.paused_until <= now(), true)
  then
    return 0;
  end if;
  update public.webhook_endpoints e set paused_until = null
   where e.tenant_id = v_endpoint.tenant_id and e.id = v_endpoint.id;
  -- One delivery finds out whether it is well; when it is, the rest follow at once.
  update public.webhook_endpoint_states s
     set circuit = case s.circuit when 'open' then 'half_open' else s.circuit end,
         opened = 0, look_again_after = null
   where s.tenant_id = v_endpoint.tenant_id and s.endpoint_id = v_endpoint.id;
  perform private.record_event(v_endpoint.tenant_id, 'webhook_endpoint.resumed',
    jsonb_build_array(jsonb_build_object('kind', 'webhook_endpoint', 'id', v_endpoint.id)),
    jsonb_build_object('count', v_count, 'circuit', v_state.circuit,
      'paused_until', v_endpoint.paused_until));
  return v_count;
end;
$$;
comment on function public.resume_endpoint(uuid, uuid) is
  'Ends the rest of an endpoint: what waits for a later attempt is due now, in the order of its recording, and an open circuit finds out with one delivery. Returns how many are due earlier than before; 0 when nothing rested. '
  'Errors: 403 not_allowed, 404 endpoint_not_found, 409 endpoint_disabled. Definer: callers never write deliveries and states; checks webhooks.write itself.';
