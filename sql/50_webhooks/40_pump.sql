-- The worker's side: find endpoints with something due (here), claim a batch (42_claim.sql), settle it (44_settle.sql).
-- functions/_worker/tasks/endpoint__pump.ts sends in between.

create function private.find_due_endpoints(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_endpoint record;
  v_queued integer := 0;
begin
  if not pg_try_advisory_xact_lock(779, 3) then
    return 0; -- another finder is at it
  end if;
  for v_endpoint in
    -- One probe of the partial index per endpoint that has anything pending, however much that is.
    with recursive pending as (
      (select tenant_id, endpoint_id from public.webhook_deliveries
        where state = 'pending' order by tenant_id, endpoint_id limit 1)
      union all
      select n.tenant_id, n.endpoint_id from pending p cross join lateral (
        select d.tenant_id, d.endpoint_id from public.webhook_deliveries d
         where d.state = 'pending' and (d.tenant_id, d.endpoint_id) > (p.tenant_id, p.endpoint_id)
         order by d.tenant_id, d.endpoint_id limit 1) n
    )
    select p.tenant_id, p.endpoint_id
      from pending p
      join public.webhook_endpoints e on e.tenant_id = p.tenant_id and e.id = p.endpoint_id
      join public.webhook_endpoint_states s
        on s.tenant_id = p.tenant_id and s.endpoint_id = p.endpoint_id
     where e.enabled and (e.paused_until is null or e.paused_until <= now())
       and (s.pump_until is null or s.pump_until < now())
       and (s.look_again_after is null or s.look_again_after <= now())
       and (s.next_slot_at is null or s.next_slot_at <= now() + interval '1 second')
       and exists (
         select from public.webhook_deliveries d
          where d.tenant_id = p.tenant_id and d.endpoint_id = p.endpoint_id
            and d.state = 'pending' and d.next_attempt_at <= now())
       and not exists (
         select from graphile_worker._private_jobs j
          where j.key = 'endpoint__pump:' || p.endpoint_id
            and (j.locked_at is not null or j.is_available and j.run_at <= now()))
     limit p_limit
  loop
    perform graphile_worker.add_job('endpoint__pump',
      json_build_object('tenantId', v_endpoint.tenant_id, 'id', v_endpoint.endpoint_id),
      job_key => 'endpoint__pump:' || v_endpoint.endpoint_id);
    v_queued := v_queued + 1;
  end loop;
  return v_queued;
end;
$$;
comment on function private.find_due_endpoints(integer) is
  'Adds one endpoint__pump job for each endpoint with something due and no such job waiting or running, at most so many; returns how many. Definer: the queue is its owner''s.';

create function private.delivery_body(p_event public.audit_events) returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_event jsonb;
begin
  if p_event.personal is not null then
    v_event := private.with_personal(p_event);
  end if;
  -- concat: json_build_object looks up how to write each value anew, and takes as long again
  return concat(
    '{"type":"', p_event.type, '","timestamp":"',
    to_char(p_event.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    '","data":', coalesce(v_event -> 'data', p_event.data),
    ',"id":"', p_event.id, '","tenant_id":"', p_event.tenant_id, '","version":', p_event.version,
    ',"actor":', coalesce(v_event -> 'actor', p_event.actor),
    ',"targets":', coalesce(v_event -> 'targets', p_event.targets), '}');
end;
$$;
comment on function private.delivery_body(public.audit_events) is
  'The exact bytes to sign and send, one line, the same on every attempt unless a person was erased in between: then null stands for their values. type, timestamp, data: Standard Webhooks 1.0.0, payload structure.';
