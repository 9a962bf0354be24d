-- Claims: which deliveries of an endpoint may be sent now, by its order, its filter, its rate and its circuit.

-- Strict ordering. An event is sent when everything recorded before it is there to see: a transaction that still runs may hold an earlier one.
-- So each claim notes a barrier (this moment, the transactions begun by then), and what was recorded before it may go once those have ended.
create function private.others_write() returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return exists (
    select from pg_locks l left join pg_stat_activity a using (pid)
     where l.locktype = 'transactionid' and l.granted and l.pid is distinct from pg_backend_pid()
       and (a.datname = current_database() or a.pid is null)); -- a prepared one is nobody's
end;
$$;
comment on function private.others_write() is 'Whether a transaction of this database other than the caller''s has an id and runs.';

create function private.complete_until(p_tenant uuid, p_endpoint uuid) returns timestamptz
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_state public.webhook_endpoint_states;
  -- What was recorded before this moment has an older transaction than this one, which takes its id after it began; record_event takes the
  -- id before the time. A snapshot's xmax would not do: it may lie below a transaction that still runs.
  v_at timestamptz := statement_timestamp() - interval '50 ms';
  v_top xid8 := pg_current_xact_id();
  v_horizon xid8 := private.sequence_horizon();
  v_alone boolean := not private.others_write();
begin
  select * into v_state from public.webhook_endpoint_states
   where tenant_id = p_tenant and endpoint_id = p_endpoint;
  if v_alone then
    v_state.complete_until := v_at;
    v_state.barrier_xid := null;
  elsif v_state.barrier_xid <= v_horizon then
    v_state.complete_until := v_state.barrier_at;
    v_state.barrier_xid := null;
  end if;
  if not v_alone
    and (v_state.barrier_xid is null or v_state.barrier_xid > v_top) -- of before a restore
  then
    v_state.barrier_xid := v_top;
    v_state.barrier_at := v_at;
  end if;
  update public.webhook_endpoint_states
     set complete_until = v_state.complete_until, barrier_xid = v_state.barrier_xid,
         barrier_at = v_state.barrier_at
   where tenant_id = p_tenant and endpoint_id = p_endpoint;
  return v_state.complete_until;
end;
$$;
comment on function private.complete_until(uuid, uuid) is 'Every event recorded before is committed or never will be; null: not known yet. Definer: runs for jobs.';

create function private.next_in_order(p_tenant uuid, p_endpoint uuid, p_limit integer)
returns public.webhook_deliveries[]
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_until timestamptz := private.complete_until(p_tenant, p_endpoint);
  v_due public.webhook_deliveries[];
  v_seen integer;
begin
  with held as (
    -- keys that wait for the next attempt of their first: skipped whole, however much stands behind it
    select distinct d.ordering_key from public.webhook_deliveries d
     where d.tenant_id = p_tenant and d.endpoint_id = p_endpoint and d.state = 'pending'
       and d.ordering_key is not null and d.next_attempt_at > now()
  ), ahead as materialized (
    select d.*, row_number() over () as place
      from (
        select c as delivery, c.ordering_key, c.next_attempt_at from public.webhook_deliveries c
         where c.tenant_id = p_tenant and c.endpoint_id = p_endpoint and c.state = 'pending'
           and c.ordering_key is not null and c.event_recorded_at <= v_until
           and not exists (select from held h where h.ordering_key = c.ordering_key)
         order by c.event_recorded_at, c.event_id
         limit 2000) d
  ), first as (
    select distinct on (a.ordering_key) a.delivery, a.place, a.next_attempt_at
      from ahead a order by a.ordering_key, a.place
  )
  select (select array_agg(delivery order by place) from (
      select f.delivery, f.place from first f
       where f.next_attempt_at <= now() order by f.place limit p_limit) x),
    (select count(*) from ahead)
    into v_due, v_seen;
  if v_due is null and v_seen = 0 then
    -- noted before the endpoint ordered strictly: from here on they stand in line too
    update public.webhook_deliveries d
       set ordering_key = coalesce(e.targets -> 0 ->> 'id', '')
      from public.audit_events e
     where d.tenant_id = p_tenant and d.endpoint_id = p_endpoint and d.state = 'pending'
       and d.ordering_key is null
       and e.tenant_id = p_tenant and e.recorded_at = d.event_recorded_at and e.id = d.event_id;
  end if;
  if v_due is null then
    update public.webhook_endpoint_states s
       set look_again_after = (
         select now() + case when bool_or(d.event_recorded_at <= v_until)
             then interval '500 ms' -- it waits for another of its key
             else interval '50 ms' end -- for a transaction beside it
           from public.webhook_deliveries d
          where d.tenant_id = p_tenant and d.endpoint_id = p_endpoint and d.state = 'pending'
            and d.ordering_key is not null and d.next_attempt_at <= now())
     where s.tenant_id = p_tenant and s.endpoint_id = p_endpoint;
  end if;
  return v_due;
end;
$$;
comment on function private.next_in_order(uuid, uuid, integer) is
  'What a strictly ordering endpoint may be sent now: of each key the earliest unsettled, when that is due. Called with the endpoint''s state locked. Definer: runs for jobs.';

-- Payload filters. What a filter costs is bounded twice: by what is let in (payload_filter_problem), and by the clock, should that miss something. A
-- clock that is looked at between two evaluations stops none, so a claim judges only under a statement_timeout of its caller.
create function private.passes_filter(p_data jsonb, p_filter text) returns boolean
language plpgsql stable parallel safe set search_path = ''
as $$
declare
  v_found jsonb;
begin
  if p_filter is null or pg_column_size(p_data) > 65536 then
    return true; -- unread
  end if;
  v_found := jsonb_path_query_first(p_data, p_filter::jsonpath, '{}', true);
  return v_found is not null and v_found not in ('false', 'null');
exception when others then
  return true; -- rather one too many than one lost
end;
$$;
comment on function private.passes_filter(jsonb, text) is
  'Whether the first thing that the path finds is there, and neither false nor null. An error and data over 64 KiB pass.';

create function private.drop_filtered(
  p_tenant uuid, p_endpoint uuid, p_filter text, p_due public.webhook_deliveries[]
) returns public.webhook_deliveries[]
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_one record;
  v_passed uuid[] := '{}';
  v_dropped uuid[] := '{}';
  v_all_began timestamptz := clock_timestamp();
  v_began timestamptz;
begin
  for v_one in
    select d.id, private.delivery_body(e.event)::jsonb -> 'data' as data
      from unnest(p_due) d
      cross join lateral (
        select a from public.audit_events a
         where a.tenant_id = p_tenant and a.recorded_at = d.event_recorded_at and a.id = d.event_id
        offset 0) e (event)
  loop
    v_began := clock_timestamp();
    if private.passes_filter(v_one.data, p_filter) then
      v_passed := v_passed || v_one.id;
    else
      v_dropped := v_dropped || v_one.id;
    end if;
    if clock_timestamp() - v_began > interval '250 ms' then
      perform private.stop_slow_filter(p_tenant, p_endpoint);
      return '{}';
    end if;
    exit when clock_timestamp() - v_all_began > interval '1 second'; -- the next claim goes on
  end loop;
  update public.webhook_deliveries set state = 'filtered', settled_at = clock_timestamp()
   where tenant_id = p_tenant and id = any (v_dropped);
  return array(select d from unnest(p_due) d where d.id = any (v_passed));
end;
$$;
comment on function private.drop_filtered(uuid, uuid, text, public.webhook_deliveries[]) is
  'Settles as filtered what the filter does not want and returns what it wants, of as many as it can judge in a second. A filter that takes over 250 ms for one event disables the endpoint. Definer: callers never write deliveries.';

create function private.stop_slow_filter(p_tenant uuid, p_endpoint uuid) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.webhook_endpoints set enabled = false, disabled_reason = 'payload_filter_slow'
   where tenant_id = p_tenant and id = p_endpoint and enabled and payload_filter is not null;
  return found;
end;
$$;
comment on function private.stop_slow_filter(uuid, uuid) is
  'Disables an endpoint whose filter took too long; the pump calls it when a claim met its statement_timeout. False: there is no such endpoint, or it has no filter. Definer: the worker never writes endpoints.';

-- One pump at a time sends to an endpoint. While the batch of a claim is sent the next one may be claimed: behind it, by its place in the
-- index, which also spares the walk over what was settled before. Without a place a claim begins at the front, so nothing of an earlier
-- claim may be unsettled then.
create function private.claim_deliveries(
  p_tenant uuid, p_endpoint uuid, p_pump uuid, p_limit integer, p_seconds integer,
  p_behind jsonb default null, out claim json, out bodies text, out unbounded boolean
)
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
  v_state public.webhook_endpoint_states;
  v_limit integer := p_limit;
  v_began timestamptz := clock_timestamp();
  v_next_attempt_at timestamptz := coalesce((p_behind ->> 0)::timestamptz, '-infinity');
  v_recorded_at timestamptz := coalesce((p_behind ->> 1)::timestamptz, '-infinity');
  v_id uuid := coalesce((p_behind ->> 2)::uuid, '00000000-0000-0000-0000-000000000000');
  v_due public.webhook_deliveries[];
  v_last public.webhook_deliveries;
  v_deliveries json;
  v_slot timestamptz;
begin
  unbounded := false;
  select * into v_endpoint from public.webhook_endpoints
   where tenant_id = p_tenant and id = p_endpoint and enabled
     and (paused_until is null or paused_until <= now());
  if not found then
    return;
  end if;
  if v_endpoint.ordering = 'strict' or v_endpoint.payload_filter is not null then
    -- deliveries are written, perhaps the endpoint: its row is locked before its state (44_settle.sql)
    select * into v_endpoint from public.webhook_endpoints
     where tenant_id = p_tenant and id = p_endpoint and enabled
       and (paused_until is null or paused_until <= now())
       for no key update;
    if not found then
      return;
    end if;
  end if;
  if v_endpoint.payload_filter is not null
    and current_setting('statement_timeout')::interval not between '1 ms' and '10 s' -- 0: none
  then
    unbounded := true;
    return;
  end if;
  update public.webhook_endpoint_states
     set pump = p_pump, pump_until = v_began + make_interval(secs => p_seconds)
   where tenant_id = p_tenant and endpoint_id = p_endpoint
     and (pump is null or pump = p_pump or pump_until < v_began)
  returning * into v_state;
  if not found then
    return;
  end if;
  if v_state.circuit <> 'closed' then
    v_limit := 1;
  elsif v_endpoint.rate_per_second is not null then
    if v_state.next_slot_at > clock_timestamp() + interval '5 seconds' then
      return;
    end if;
    v_limit := least(p_limit, 5 * v_endpoint.rate_per_second);
  end if;
  loop
    if v_endpoint.ordering = 'strict' then
      v_due := private.next_in_order(p_tenant, p_endpoint, v_limit);
    else
      -- c, not c.*: that is a record, and to make it a delivery again Postgres writes it as text and reads it
      select array_agg(d.delivery) into v_due from (
        select c as delivery from public.webhook_deliveries c
         where c.tenant_id = p_tenant and c.endpoint_id = p_endpoint and c.state = 'pending'
           and (c.next_attempt_at, c.event_recorded_at, c.id)
             > (v_next_attempt_at, v_recorded_at, v_id)
           and c.next_attempt_at <= now()
         order by c.next_attempt_at, c.event_recorded_at, c.id
         limit v_limit) d;
    end if;
    exit when v_due is null;
    v_last := v_due[cardinality(v_due)];
    exit when v_endpoint.payload_filter is null;
    v_due := nullif(
      private.drop_filtered(p_tenant, p_endpoint, v_endpoint.payload_filter, v_due), '{}');
    exit when v_due is not null or clock_timestamp() - v_began > interval '250 ms';
  end loop;
  if v_due is null then
    return;
  end if;
  select '[' || string_agg(concat('{"id":"', d.id, '","attempt":', d.attempts + 1,
        ',"eventId":"', d.event_id,
        '","traceparent":', coalesce((e.event).context -> 'traceparent', 'null'), '}'),
      ',' order by d.ordinality) || ']',
    string_agg(private.delivery_body(e.event), E'\n' order by d.ordinality)
    into v_deliveries, bodies
    from unnest(v_due) with ordinality d
    -- offset 0 keeps it a probe a row: as a join it read the tenant's whole log for every batch
    cross join lateral (
      select a from public.audit_events a
       where a.tenant_id = p_tenant and a.recorded_at = d.event_recorded_at and a.id = d.event_id
      offset 0) e (event);
  if v_deliveries is null then
    return;
  end if;
  if v_state.circuit <> 'closed' then
    update public.webhook_endpoint_states set circuit = 'half_open'
     where tenant_id = p_tenant and endpoint_id = p_endpoint;
  end if;
  if v_endpoint.rate_per_second is not null then
    v_slot := greatest(clock_timestamp(), v_state.next_slot_at);
    update public.webhook_endpoint_states
       set next_slot_at = v_slot
         + json_array_length(v_deliveries) * interval '1.01 seconds' / v_endpoint.rate_per_second
     where tenant_id = p_tenant and endpoint_id = p_endpoint;
  end if;
  claim := json_build_object(
    'endpoint', json_build_object('id', v_endpoint.id, 'url', v_endpoint.url,
      'ordering', v_endpoint.ordering,
      'failuresInARow', v_state.failures_in_a_row,
      'pace', case when v_slot is not null then json_build_object(
        'perSecond', v_endpoint.rate_per_second,
        'startsInMs', 1000 * extract(epoch from v_slot - clock_timestamp())) end,
      'headers', private.webhook_headers_of(p_tenant, p_endpoint)),
    'secrets', private.webhook_secrets_of(p_tenant, p_endpoint),
    'deliveries', v_deliveries,
    'full', v_limit = p_limit and cardinality(v_due) = p_limit,
    'last', json_build_array(v_last.next_attempt_at, v_last.event_recorded_at, v_last.id));
end;
$$;
comment on function private.claim_deliveries(uuid, uuid, uuid, integer, integer, jsonb) is
  'Takes the endpoint for this pump and so many seconds, and what is due there, oldest first: {endpoint {id, url, ordering, failuresInARow, pace {perSecond, startsInMs} | null, headers {keyId, ciphertext} | null}, '
  'secrets [{id, scheme, keyId, ciphertext}], deliveries [{id, attempt, eventId, traceparent}], full, last}, and apart from it, since they are most of it, their bodies, a line each. With a rate each delivery has its slot in time, evenly spaced, given to nobody else: '
  '1 % of the rate is kept back for what the way to the receiver wavers. With an open circuit, one delivery to find out. '
  'full: there may be more; behind last it may be claimed while these are sent. null when nothing may be sent, another pump has the endpoint, or it is gone, disabled or paused. '
  'unbounded: null since there is a filter to judge by and no statement_timeout of 10 s at most: call again under one. Counts no attempt. Definer: reads secrets and the log for the worker.';

create function private.let_go_of_endpoint(p_tenant uuid, p_endpoint uuid, p_pump uuid) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.webhook_endpoint_states set pump = null, pump_until = null
   where tenant_id = p_tenant and endpoint_id = p_endpoint and pump = p_pump;
end;
$$;
comment on function private.let_go_of_endpoint(uuid, uuid, uuid) is
  'The pump has settled all that it claimed, and another may begin at once. Definer: callers never write states.';

create function private.webhook_secrets_of(p_tenant uuid, p_endpoint uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'scheme', s.scheme, 'keyId', s.key_id,
      'ciphertext', translate(encode(s.ciphertext, 'base64'), E'\n', ''))
      order by s.created_at desc, s.id desc), '[]')
    from private.webhook_secrets s
   where s.tenant_id = p_tenant and s.endpoint_id = p_endpoint
     and (s.expires_at is null or s.expires_at > now())
$$;
comment on function private.webhook_secrets_of(uuid, uuid) is 'The sealed secrets and private keys to sign with, newest first. Definer: the table is private.';

create function private.webhook_headers_of(p_tenant uuid, p_endpoint uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object('keyId', h.key_id,
      'ciphertext', translate(encode(h.ciphertext, 'base64'), E'\n', ''))
    from private.webhook_headers h where h.tenant_id = p_tenant and h.endpoint_id = p_endpoint
$$;
comment on function private.webhook_headers_of(uuid, uuid) is 'The sealed headers to add; null when there are none. Definer: the table is private.';
