-- Settling: what an attempt came to, when the next one is due, and what it says of the endpoint.
-- One order of locks: the endpoint, its state, its deliveries. Who disables an endpoint holds its row before its deliveries are cancelled
-- (30_deliver.sql), so whoever may write the endpoint, or several deliveries, after something else takes its row first.

create function private.days_setting(p_key text, p_default numeric) returns interval
language plpgsql stable set search_path = ''
as $$
declare
  v_value jsonb := private.get_setting(p_key);
begin
  return interval '1 day'
    * (case jsonb_typeof(v_value) when 'number' then v_value::numeric else p_default end);
end;
$$;
comment on function private.days_setting(text, numeric) is 'A setting that is a number of days; the default when it is not set, or is none.';

create function private.retry_delay(p_schedule integer[], p_attempt integer) returns interval
language plpgsql volatile set search_path = ''
as $$
begin
  return make_interval(secs => p_schedule[least(p_attempt, cardinality(p_schedule))]
    * (0.8 + random() * 0.4));
end;
$$;
comment on function private.retry_delay(integer[], integer) is 'How long after a failed attempt the next one is due, ± 20 % jitter; null when none is.';

create function private.settle_deliveries(
  p_tenant uuid, p_endpoint uuid, p_results jsonb
) returns integer
language plpgsql volatile security definer set search_path = ''
set enable_nestloop = off -- with statistics of a quiet hour: 200 × 200 comparisons, 100 µs a delivery
as $$
declare
  v_schedule integer[];
  v_ids uuid[] := array(select r.id from jsonb_to_recordset(p_results) r (id uuid));
  v_settled integer;
  v_delivered boolean;
  v_failures integer; -- since the last success among these
  v_first_failure_at timestamptz;
  v_stop text;
  v_failing text;
  v_rest_seconds numeric; -- of the endpoint as a whole
begin
  select e.retry_schedule into v_schedule from public.webhook_endpoints e
   where e.tenant_id = p_tenant and e.id = p_endpoint
     for no key update;
  perform from public.webhook_endpoint_states
   where tenant_id = p_tenant and endpoint_id = p_endpoint for update;
  with result as (
    select r.*, to_timestamp(r."startedAtMs" / 1000) as started_at,
           least(coalesce(r."retryAfterSeconds", 0), 86400) as retry_after
      from rows from (jsonb_to_recordset(p_results) as (
        id uuid, outcome text, "startedAtMs" double precision, "durationMs" numeric,
        status integer, "errorClass" text, "responseHeaders" jsonb, "responseBody" text,
        "retryAfterSeconds" numeric, throttle boolean, stop text)) with ordinality r
  ), settled as (
    update public.webhook_deliveries d
       set attempts = d.attempts + (r.outcome <> 'release')::integer,
           state = case
             when r.outcome = 'delivered' then 'delivered'
             when r.outcome = 'release' then 'pending'
             when r.outcome = 'disable' then 'cancelled'
             when r.outcome = 'dead' or d.attempts >= cardinality(v_schedule) then 'dead'
             else 'pending' end,
           settled_at = case when r.outcome in ('delivered', 'dead', 'disable')
             or r.outcome = 'retry' and d.attempts >= cardinality(v_schedule)
             then clock_timestamp() end,
           next_attempt_at = case
             when r.outcome = 'delivered' then d.next_attempt_at
             when r.outcome = 'release' then
               greatest(d.next_attempt_at,
                 now() + make_interval(secs => r.retry_after))
             else clock_timestamp() + greatest(
               coalesce(private.retry_delay(v_schedule, d.attempts + 1), interval '0'),
               make_interval(secs => r.retry_after)) end
      from result r
     where d.tenant_id = p_tenant and d.endpoint_id = p_endpoint and d.id = any (v_ids)
       and d.id = r.id and d.settled_at is null -- a late word about a settled one is not heard
    returning d.attempts, r.*
  ), attempted as (
    insert into public.webhook_attempts (tenant_id, delivery_id, number, started_at, duration_ms,
      status, error_class, response_headers, response_body)
    select p_tenant, s.id, s.attempts, s.started_at, s."durationMs"::integer, s.status,
           s."errorClass", s."responseHeaders", left(s."responseBody", 4096)
      from settled s where s.outcome <> 'release'
    on conflict do nothing
  ), told as (
    select s.outcome = 'delivered' as delivered, s.outcome in ('retry', 'dead') as failed,
           s.started_at as at, s.ordinality as place,
           max(s.ordinality) filter (where s.outcome = 'delivered') over () as last_delivered
      from settled s
  ), asked as (
    select max(coalesce(r.stop, case r.outcome when 'disable' then 'gone' end)) as stop,
           max(greatest(r.retry_after, 5)) filter (where r.throttle) as rest_seconds
      from result r
  )
  select count(*), coalesce(bool_or(delivered), false),
         count(*) filter (where failed and place > coalesce(last_delivered, 0)),
         min(at) filter (where failed and place > coalesce(last_delivered, 0)),
         (select stop from asked), (select rest_seconds from asked)
    into v_settled, v_delivered, v_failures, v_first_failure_at, v_stop, v_rest_seconds
    from told;
  if v_settled = 0 then
    return 0;
  end if;
  v_failing := private.settle_circuit(
    p_tenant, p_endpoint, v_delivered, v_failures, v_first_failure_at);
  v_stop := coalesce(v_stop, v_failing);
  if v_stop is not null then
    update public.webhook_endpoints set enabled = false, disabled_reason = v_stop
     where tenant_id = p_tenant and id = p_endpoint and enabled;
  elsif v_rest_seconds is not null then
    update public.webhook_endpoints
       set paused_until = greatest(paused_until, now() + make_interval(secs => v_rest_seconds))
     where tenant_id = p_tenant and id = p_endpoint;
  end if;
  return v_settled;
end;
$$;
comment on function private.settle_deliveries(uuid, uuid, jsonb) is
  'Attempt and next time in one transaction, in the order in which the answers came: [{id, outcome: delivered | retry | dead | disable | release, status, durationMs, startedAtMs (since the epoch), errorClass, responseHeaders, responseBody, retryAfterSeconds, throttle, stop}]. '
  'release: claimed but never sent, counts nothing. throttle: the endpoint rests for retryAfterSeconds, 5 at least. stop: why the endpoint is to be disabled. Returns how many were settled. Definer: callers never write deliveries.';

create function private.settle_circuit(
  p_tenant uuid, p_endpoint uuid, p_delivered boolean, p_failures integer, p_first timestamptz
) returns text
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_state public.webhook_endpoint_states;
  v_was text;
  v_patience interval := private.days_setting('webhooks.disable_after_days', 5);
begin
  select * into v_state from public.webhook_endpoint_states
   where tenant_id = p_tenant and endpoint_id = p_endpoint for update;
  v_was := v_state.circuit;
  v_state.look_again_after := null;
  if p_delivered then
    v_state.last_success_at := clock_timestamp();
    v_state.circuit := 'closed';
    v_state.opened := 0;
    v_state.failures_in_a_row := 0;
    v_state.first_failure_at := null;
  end if;
  if p_failures > 0 then
    v_state.failures_in_a_row := v_state.failures_in_a_row + p_failures;
    v_state.first_failure_at := coalesce(v_state.first_failure_at, p_first, now());
    if v_state.failures_in_a_row >= 10 or v_state.circuit <> 'closed' then
      if v_was <> 'open' or v_state.circuit <> 'open' then -- else a straggler of before it opened
        v_state.opened := v_state.opened + 1;
      end if;
      v_state.circuit := 'open';
      update public.webhook_endpoints
         set paused_until = greatest(paused_until, now() + make_interval(
           secs => least(900, 15 * 2 ^ least(v_state.opened - 1, 10)) * (0.9 + random() * 0.2)))
       where tenant_id = p_tenant and id = p_endpoint;
    end if;
  end if;
  update public.webhook_endpoint_states s
     set circuit = v_state.circuit, opened = v_state.opened,
         failures_in_a_row = v_state.failures_in_a_row, look_again_after = null,
         first_failure_at = v_state.first_failure_at, last_success_at = v_state.last_success_at
   where s.tenant_id = p_tenant and s.endpoint_id = p_endpoint;
  if p_failures > 0 and v_state.failures_in_a_row >= 10
    and v_state.first_failure_at <= now() - v_patience
  then
    return 'failing';
  end if;
  return null;
end;
$$;
comment on function private.settle_circuit(uuid, uuid, boolean, integer, timestamptz) is
  'Counts failures in a row, opens the circuit after ten (15 s, doubling to 15 min, ± 10 %) and closes it after a success; returns failing when the endpoint is to be disabled: '
  'ten failures or more and nothing else for the setting webhooks.disable_after_days, 5 by default. Definer: callers never write states.';

create function private.settle_pace(p_tenant uuid, p_endpoint uuid, p_ms numeric) returns void
language sql volatile security definer set search_path = ''
as $$
  update public.webhook_endpoint_states
     set next_slot_at = greatest(next_slot_at,
       clock_timestamp() + make_interval(secs => (least(p_ms, 60000) / 1000)::double precision))
   where tenant_id = p_tenant and endpoint_id = p_endpoint
$$;
comment on function private.settle_pace(uuid, uuid, numeric) is
  'The worker was late with its slots: the next request of the endpoint comes no sooner than in so many milliseconds. Definer: callers never write states.';
