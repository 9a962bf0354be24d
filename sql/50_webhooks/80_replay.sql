-- Replay: a further delivery of an event, with the same webhook-id and a schedule of its own. The old row keeps its attempts and names the new one.
-- Asked twice at once, or again while it is on its way, nothing is doubled. Next: 20_deliveries.sql (replayed_as).

create view public.dead_letters with (security_invoker = true) as
  select d.tenant_id, d.id, d.endpoint_id, d.event_id, d.event_type, d.event_recorded_at,
         d.attempts, d.settled_at,
         (select coalesce(a.status::text, a.error_class) from public.webhook_attempts a
           where a.tenant_id = d.tenant_id and a.delivery_id = d.id
           order by a.number desc limit 1) as last_result
    from public.webhook_deliveries d
   where d.state = 'dead' and d.replayed_as is null;
comment on view public.dead_letters is 'Deliveries whose attempts are used up and that nobody has replayed, with the status or error class of the last attempt.';

create function private.begin_replay(p_tenant uuid, p_endpoint uuid)
returns public.webhook_endpoints
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
begin
  -- shared: it is neither disabled nor removed before what is noted here is there to be cancelled
  select * into v_endpoint from public.webhook_endpoints
   where tenant_id = p_tenant and id = p_endpoint and removed_at is null for share;
  if not found then
    perform private.refuse(404, 'endpoint_not_found', format('There is no endpoint %s in tenant %s', p_endpoint, p_tenant));
  elsif not v_endpoint.enabled then
    perform private.refuse(409, 'endpoint_disabled', 'A disabled endpoint gets nothing: enable it first');
  end if;
  perform pg_advisory_xact_lock(780, hashtext(p_endpoint::text)); -- one replay of an endpoint at a time
  -- nor while it catches up: both look at what is not there
  perform from private.webhook_catch_ups
    where tenant_id = p_tenant and endpoint_id = p_endpoint for update;
  return v_endpoint;
end;
$$;
comment on function private.begin_replay(uuid, uuid) is 'The endpoint, for this transaction''s replay alone. Raises endpoint_not_found, endpoint_disabled. Definer: the table of catch-ups is private; who calls it has checked webhooks.write.';

create function private.replay_events(
  p_endpoint public.webhook_endpoints, p_ids uuid[], p_recorded_ats timestamptz[]
) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  with made as (
    insert into public.webhook_deliveries
      (tenant_id, endpoint_id, event_id, event_recorded_at, event_type, ordering_key)
    select e.tenant_id, p_endpoint.id, e.id, e.recorded_at, e.type,
           case when p_endpoint.ordering = 'strict' then coalesce(e.targets -> 0 ->> 'id', '') end
      from unnest(p_ids, p_recorded_ats) as w (id, recorded_at)
      join public.audit_events e
        on e.tenant_id = p_endpoint.tenant_id and e.recorded_at = w.recorded_at and e.id = w.id
     order by e.recorded_at, e.id
    returning id, event_id
  ), replayed as (
    update public.webhook_deliveries d set replayed_as = m.id
      from made m
     where d.tenant_id = p_endpoint.tenant_id and d.endpoint_id = p_endpoint.id
       and d.event_id = m.event_id and d.replayed_as is null
    returning 1
  )
  select count(*) into v_count from made;
  return v_count;
end;
$$;
comment on function private.replay_events(public.webhook_endpoints, uuid[], timestamptz[]) is
  'Notes a new delivery of each event that the log still has; returns how many. Definer: callers never write deliveries.';

create function private.record_replay(
  p_endpoint public.webhook_endpoints, p_count integer, p_filter jsonb
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  if p_count > 0 then
    perform private.record_event(p_endpoint.tenant_id, 'webhook_endpoint.replayed',
      jsonb_build_array(jsonb_build_object('kind', 'webhook_endpoint', 'id', p_endpoint.id)),
      jsonb_build_object('count', p_count, 'filter', jsonb_strip_nulls(p_filter)));
  end if;
end;
$$;
comment on function private.record_replay(public.webhook_endpoints, integer, jsonb) is 'webhook_endpoint.replayed, when there was anything. Definer: callers cannot write events.';

create function private.replay_delivery(tenant_id uuid, delivery_id uuid) returns uuid
language plpgsql volatile set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
  v_delivery public.webhook_deliveries;
begin
  select * into v_delivery from public.webhook_deliveries d
   where d.tenant_id = replay_delivery.tenant_id and d.id = delivery_id;
  if not found then
    perform private.refuse(404, 'delivery_not_found', format('There is no delivery %s in tenant %s', delivery_id, replay_delivery.tenant_id));
  end if;
  v_endpoint := private.begin_replay(replay_delivery.tenant_id, v_delivery.endpoint_id);
  loop -- to the newest word on it, read with the lock held
    select * into v_delivery from public.webhook_deliveries d
     where d.tenant_id = replay_delivery.tenant_id and d.id = v_delivery.id for update;
    exit when v_delivery.replayed_as is null or not exists (
      select from public.webhook_deliveries d
       where d.tenant_id = replay_delivery.tenant_id and d.id = v_delivery.replayed_as);
    v_delivery.id := v_delivery.replayed_as;
  end loop;
  if v_delivery.state = 'pending' then
    if v_delivery.next_attempt_at > now() then -- else it is due, or on its way
      update public.webhook_deliveries d set next_attempt_at = now()
       where d.tenant_id = v_delivery.tenant_id and d.id = v_delivery.id;
      perform private.record_replay(
        v_endpoint, 1, jsonb_build_object('event_id', v_delivery.event_id));
    end if;
    return v_delivery.id;
  end if;
  if 0 = private.replay_events(v_endpoint,
    array[v_delivery.event_id], array[v_delivery.event_recorded_at])
  then
    perform private.refuse(409, 'event_gone', 'The event is past its retention');
  end if;
  perform private.record_replay(v_endpoint, 1,
    jsonb_build_object('event_id', v_delivery.event_id));
  return (
    select d.id from public.webhook_deliveries d
     where d.tenant_id = replay_delivery.tenant_id and d.endpoint_id = v_endpoint.id
       and d.event_id = v_delivery.event_id and d.state = 'pending');
end;
$$;
comment on function private.replay_delivery(uuid, uuid) is 'Called by the function of the API with the same name, which has asked for the right.';

create function public.replay_delivery(tenant_id uuid, delivery_id uuid) returns uuid
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(replay_delivery.tenant_id, 'webhooks.write');
  return private.replay_delivery(tenant_id, delivery_id);
end;
$$;
comment on function public.replay_delivery(uuid, uuid) is
  'Sends the event of a delivery once more, whatever came of it; returns the new delivery, or the one that is on its way: that is due now, should it wait for a later attempt. Errors: 403 not_allowed, 404 delivery_not_found, 409 endpoint_disabled, event_gone. Definer: callers never write deliveries; checks webhooks.write itself.';

create function private.replay_deliveries(
  tenant_id uuid, endpoint_id uuid, types text[],
  since timestamptz, until timestamptz,
  states text[], dry_run boolean
) returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
  v_ids uuid[];
  v_recorded_ats timestamptz[];
  v_count integer;
begin
  v_endpoint :=
    private.begin_replay(replay_deliveries.tenant_id, replay_deliveries.endpoint_id);
  if not states <@ array['delivered', 'dead', 'cancelled', 'filtered'] then
    perform private.refuse(422, 'delivery_state_unknown', 'states are of delivered, dead, cancelled and filtered');
  end if;
  select array_agg(w.event_id), array_agg(w.event_recorded_at) into v_ids, v_recorded_ats
    from (
      select distinct d.event_id, d.event_recorded_at
        from public.webhook_deliveries d
        join public.audit_events e
          on e.tenant_id = d.tenant_id and e.recorded_at = d.event_recorded_at
          and e.id = d.event_id
       where d.tenant_id = v_endpoint.tenant_id and d.endpoint_id = v_endpoint.id
         and d.replayed_as is null and d.state = any (states)
         and d.event_recorded_at >= since and d.event_recorded_at < until
         and private.event_type_matches(d.event_type, types)) w;
  if dry_run then
    return coalesce(cardinality(v_ids), 0);
  end if;
  v_count := private.replay_events(v_endpoint, v_ids, v_recorded_ats);
  perform private.record_replay(v_endpoint, v_count, jsonb_build_object('types', types,
    'states', states, 'since', nullif(since, '-infinity'), 'until', nullif(until, 'infinity')));
  return v_count;
end;
$$;
comment on function private.replay_deliveries(
  uuid, uuid, text[], timestamptz, timestamptz, text[], boolean
) is 'Called by the function of the API with the same name, which has asked for the right.';

create function public.replay_deliveries(
  tenant_id uuid, endpoint_id uuid, types text[] default null,
  since timestamptz default '-infinity', until timestamptz default 'infinity',
  states text[] default '{dead,cancelled}', dry_run boolean default true
) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(replay_deliveries.tenant_id, 'webhooks.write');
  return private.replay_deliveries(
    tenant_id, endpoint_id, types, since, until, states, dry_run);
end;
$$;
comment on function public.replay_deliveries(
  uuid, uuid, text[], timestamptz, timestamptz, text[], boolean
) is
  'Sends an endpoint''s events once more: of these types and prefixes, recorded from since to until, whose delivery ended in one of the states. With dry_run, the default, only says how many. '
  'Errors: 403 not_allowed, 404 endpoint_not_found, 409 endpoint_disabled, 422 delivery_state_unknown. Definer: callers never write deliveries; checks webhooks.write itself.';

create function private.replay_missed(
  tenant_id uuid, endpoint_id uuid, since timestamptz, dry_run boolean
) returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
  v_ids uuid[];
  v_recorded_ats timestamptz[];
  v_count integer;
begin
  v_endpoint := private.begin_replay(replay_missed.tenant_id, replay_missed.endpoint_id);
  -- Past the retention of deliveries nobody knows any more what arrived.
  if since is null or since < now() - make_interval(days => least(30, extract(day from
    private.days_setting('webhooks.deliveries_retention_days', 90))::integer))
  then
    perform private.refuse(422, 'since_too_old', 'since reaches back 30 days at most, and no further than deliveries are kept');
  end if;
  select array_agg(e.id), array_agg(e.recorded_at) into v_ids, v_recorded_ats
    from public.audit_events e
   where e.tenant_id = v_endpoint.tenant_id and e.recorded_at >= since
     and private.event_type_matches(e.type, v_endpoint.event_types)
     and not exists (
       select from public.webhook_deliveries d
        where d.tenant_id = e.tenant_id and d.endpoint_id = v_endpoint.id
          and d.event_id = e.id and d.state in ('pending', 'delivered', 'filtered'));
  if dry_run then
    return coalesce(cardinality(v_ids), 0);
  end if;
  v_count := private.replay_events(v_endpoint, v_ids, v_recorded_ats);
  perform private.record_replay(v_endpoint, v_count,
    jsonb_build_object('missed', true, 'since', since));
  return v_count;
end;
$$;
comment on function private.replay_missed(uuid, uuid, timestamptz, boolean) is 'Called by the function of the API with the same name, which has asked for the right.';

create function public.replay_missed(
  tenant_id uuid, endpoint_id uuid, since timestamptz, dry_run boolean default true
) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(replay_missed.tenant_id, 'webhooks.write');
  return private.replay_missed(tenant_id, endpoint_id, since, dry_run);
end;
$$;
comment on function public.replay_missed(uuid, uuid, timestamptz, boolean) is
  'Sends an endpoint what it wants of the events recorded since then and never got: those whose delivery died or was cancelled, and those that were never meant for it before. With dry_run, the default, only says how many. '
  'Errors: 403 not_allowed, 404 endpoint_not_found, 409 endpoint_disabled, 422 since_too_old. Definer: callers never write deliveries; checks webhooks.write itself.';
