-- The worker's side: find endpoints with something due, claim a batch, settle it. functions/_worker/tasks/endpoint__pump.ts sends in between.

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
  perform private.catch_up_endpoints();
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
     where e.enabled and (e.paused_until is null or e.paused_until <= now())
       and exists (
         select from public.webhook_deliveries d
          where d.tenant_id = p.tenant_id and d.endpoint_id = p.endpoint_id
            and d.state = 'pending' and d.next_attempt_at <= now()
            and (d.claimed_until is null or d.claimed_until < now()))
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
language sql stable set search_path = ''
as $$
  select json_build_object(
    'type', (p_event).type,
    'timestamp', to_char((p_event).occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'data', coalesce(p.event -> 'data', (p_event).data),
    'id', (p_event).id,
    'tenant_id', (p_event).tenant_id,
    'version', (p_event).version,
    'actor', coalesce(p.event -> 'actor', (p_event).actor),
    'targets', coalesce(p.event -> 'targets', (p_event).targets))::text
    from (
      select case when (p_event).personal is not null then private.with_personal(p_event) end
    ) p (event)
$$;
comment on function private.delivery_body(public.audit_events) is
  'The exact bytes to sign and send, the same on every attempt unless a person was erased in between: then null stands for their values. type, timestamp, data: Standard Webhooks 1.0.0, payload structure.';

create function private.claim_deliveries(
  p_tenant uuid, p_endpoint uuid, p_limit integer, p_seconds integer
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
  v_deliveries jsonb;
begin
  select * into v_endpoint from public.webhook_endpoints
   where tenant_id = p_tenant and id = p_endpoint and enabled
     and (paused_until is null or paused_until <= now());
  if not found then
    return null;
  end if;
  with claimed as (
    update public.webhook_deliveries d
       set claimed_until = clock_timestamp() + make_interval(secs => p_seconds)
      from (
        select c.id from public.webhook_deliveries c
         where c.tenant_id = p_tenant and c.endpoint_id = p_endpoint and c.state = 'pending'
           and c.next_attempt_at <= now() and (c.claimed_until is null or c.claimed_until < now())
         order by c.next_attempt_at, c.event_recorded_at, c.id
         limit p_limit
         for update skip locked) due
     where d.tenant_id = p_tenant and d.id = due.id
    returning d.id, d.attempts, d.event_id, d.event_recorded_at, d.next_attempt_at
  )
  select jsonb_agg(jsonb_build_object(
      'id', c.id, 'attempt', c.attempts + 1, 'eventId', c.event_id,
      'body', private.delivery_body(e), 'traceparent', e.context ->> 'traceparent')
      order by c.next_attempt_at, c.event_recorded_at, c.id)
    into v_deliveries
    from claimed c
    join public.audit_events e
      on e.tenant_id = p_tenant and e.recorded_at = c.event_recorded_at and e.id = c.event_id;
  if v_deliveries is null then
    return null;
  end if;
  return jsonb_build_object(
    'endpoint', jsonb_build_object('id', v_endpoint.id, 'url', v_endpoint.url,
      'maxAttempts', v_endpoint.max_attempts),
    'secrets', private.webhook_secrets_of(p_tenant, p_endpoint),
    'deliveries', v_deliveries);
end;
$$;
comment on function private.claim_deliveries(uuid, uuid, integer, integer) is
  'Takes what is due, oldest first, for so many seconds: {endpoint {id, url, maxAttempts}, secrets [{id, keyId, ciphertext}], deliveries [{id, attempt, eventId, body, traceparent}]}; '
  'null when nothing is due, or the endpoint is gone, disabled or paused. Counts no attempt. Definer: reads secrets and the log for the worker.';

create function private.webhook_secrets_of(p_tenant uuid, p_endpoint uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'keyId', s.key_id,
      'ciphertext', translate(encode(s.ciphertext, 'base64'), E'\n', ''))
      order by s.created_at desc, s.id desc), '[]')
    from private.webhook_secrets s
   where s.tenant_id = p_tenant and s.endpoint_id = p_endpoint
     and (s.expires_at is null or s.expires_at > now())
$$;
comment on function private.webhook_secrets_of(uuid, uuid) is 'The sealed secrets to sign with, newest first. Definer: the table is private.';

create function private.retry_delay(p_attempt integer) returns interval
language sql volatile set search_path = ''
as $$
  select make_interval(secs => s * (0.8 + random() * 0.4))
    from unnest(array[5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400])
      with ordinality as x (s, n)
   where n = least(greatest(p_attempt, 1), 9)
$$;
comment on function private.retry_delay(integer) is 'How long after a failed attempt the next one is due: Standard Webhooks'' example schedule, 10 attempts over about 75 h, ± 20 % jitter.';

create function private.settle_deliveries(
  p_tenant uuid, p_endpoint uuid, p_results jsonb
) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_settled integer;
begin
  with result as (
    select r ->> 'outcome' as outcome, (r ->> 'id')::uuid as id,
           case when r ? 'retryAfterSeconds'
             then least((r ->> 'retryAfterSeconds')::numeric, 86400) end as retry_after, r
      from jsonb_array_elements(p_results) r
  ), settled as (
    update public.webhook_deliveries d
       set attempts = d.attempts + (r.outcome <> 'release')::integer,
           claimed_until = null,
           state = case
             when r.outcome = 'delivered' then 'delivered'
             when r.outcome = 'release' then 'pending'
             when r.outcome = 'disable' then 'cancelled'
             when r.outcome = 'dead' or d.attempts + 1 >= e.max_attempts then 'dead'
             else 'pending' end,
           settled_at = case when r.outcome in ('delivered', 'dead', 'disable')
             or r.outcome = 'retry' and d.attempts + 1 >= e.max_attempts then clock_timestamp() end,
           next_attempt_at = case
             when r.outcome = 'release' then
               greatest(d.next_attempt_at,
                 now() + make_interval(secs => coalesce(r.retry_after, 0)))
             else clock_timestamp() + greatest(private.retry_delay(d.attempts + 1),
               make_interval(secs => coalesce(r.retry_after, 0))) end
      from result r, public.webhook_endpoints e
     where d.tenant_id = p_tenant and d.endpoint_id = p_endpoint and d.id = r.id
       and e.tenant_id = p_tenant and e.id = p_endpoint
       and d.state = 'pending' and d.claimed_until is not null -- a late word about a settled one is not heard
    returning d.id, d.attempts, r.outcome, r.r
  ), attempted as (
    insert into public.webhook_attempts (tenant_id, delivery_id, number, started_at, duration_ms,
      status, error_class, response_headers, response_body)
    select p_tenant, s.id, s.attempts, (s.r ->> 'startedAt')::timestamptz,
           (s.r ->> 'durationMs')::numeric::integer, (s.r ->> 'status')::integer,
           s.r ->> 'errorClass', s.r -> 'responseHeaders', left(s.r ->> 'responseBody', 4096)
      from settled s where s.outcome <> 'release'
    on conflict do nothing
    returning 1
  )
  select count(*) into v_settled from settled;
  if exists (select from jsonb_array_elements(p_results) r where r ->> 'outcome' = 'disable') then
    update public.webhook_endpoints set enabled = false, disabled_reason = 'gone'
     where tenant_id = p_tenant and id = p_endpoint and enabled;
  elsif exists (
    select from jsonb_array_elements(p_results) r where (r ->> 'throttle')::boolean)
  then
    update public.webhook_endpoints e
       set paused_until = greatest(e.paused_until, now() + make_interval(secs => p.seconds))
      from (select least(greatest(max((r ->> 'retryAfterSeconds')::numeric), 5), 86400) as seconds
              from jsonb_array_elements(p_results) r where (r ->> 'throttle')::boolean) p
     where e.tenant_id = p_tenant and e.id = p_endpoint;
  end if;
  return v_settled;
end;
$$;
comment on function private.settle_deliveries(uuid, uuid, jsonb) is
  'Attempt and next time in one transaction: [{id, outcome: delivered | retry | dead | disable | release, status, durationMs, startedAt, errorClass, responseHeaders, responseBody, retryAfterSeconds, throttle}]. '
  'release: claimed but never sent, counts nothing. throttle: the endpoint rests for retryAfterSeconds, 5 at least. Returns how many were settled. Definer: callers never write deliveries.';
