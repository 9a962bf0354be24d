-- What an event sets off: a delivery row for each endpoint that wants it, in the same transaction. Nothing more: with add_job per event a
-- bare insert slows to 0.16, since its NOTIFY serializes commits. private.find_due_endpoints finds the rows after commit.

create function private.tg_audit_events__deliver() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  insert into public.webhook_deliveries
    (tenant_id, endpoint_id, event_id, event_recorded_at, event_type, ordering_key)
  select new.tenant_id, e.id, new.id, new.recorded_at, new.type,
         case when e.ordering = 'strict' then coalesce(new.targets -> 0 ->> 'id', '') end
    from public.webhook_endpoints e
   where e.tenant_id = new.tenant_id and e.enabled and e.since_at <= new.recorded_at
     and (e.event_types is null or private.event_type_matches(new.type, e.event_types));
  return null;
end;
$$;
comment on function private.tg_audit_events__deliver() is 'Notes the deliveries of a new event. Definer: callers never write deliveries.';
create trigger _900_deliver after insert on public.audit_events
  for each row execute function private.tg_audit_events__deliver();
alter table public.audit_events enable always trigger _900_deliver;

-- An endpoint gets every event recorded from its since_at on, also those from before it was made. Its own transaction cannot see what is being
-- written beside it, so what it missed is noted once every transaction has ended that may have looked before it was there; usually that is
-- at once. It may be thirty days of a busy tenant: noted in portions, by a loop of its own that holds up nobody.
create table private.webhook_catch_ups (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  barrier_xid xid8,
  reached_at timestamptz not null,
  reached_id uuid not null default '00000000-0000-0000-0000-000000000000',
  turn_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, endpoint_id),
  foreign key (tenant_id, endpoint_id)
    references public.webhook_endpoints (tenant_id, id) on delete cascade
);
comment on table private.webhook_catch_ups is
  'Endpoints that wait for the deliveries of events between their since_at and their creation. None is disabled.';
comment on column private.webhook_catch_ups.barrier_xid is
  'The transactions from here on began after the endpoint was there to see; null: nobody has seen it yet.';
comment on column private.webhook_catch_ups.reached_at is 'With reached_id the last event that was looked at; first the endpoint''s since_at.';
comment on column private.webhook_catch_ups.turn_at is 'The last portion''s: who waits longest is next.';

create function private.tg_webhook_endpoints__catch_up() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  insert into private.webhook_catch_ups (tenant_id, endpoint_id, reached_at)
  values (new.tenant_id, new.id, new.since_at);
  return null;
end;
$$;
comment on function private.tg_webhook_endpoints__catch_up() is
  'Notes that the endpoint is to catch up. Definer: the table is private.';
create trigger _900_catch_up after insert on public.webhook_endpoints
  for each row when (new.enabled)
  execute function private.tg_webhook_endpoints__catch_up();
alter table public.webhook_endpoints enable always trigger _900_catch_up;

create function private.catch_up_endpoint(
  p_endpoint public.webhook_endpoints, p_catch_up private.webhook_catch_ups, p_limit integer
) returns integer
language plpgsql volatile set search_path = ''
set enable_nestloop = off -- before statistics are there: 5,000 × all of its deliveries, 50 s
as $$
declare
  v_seen integer;
  v_noted integer;
  v_at timestamptz;
  v_id uuid;
begin
  with portion as materialized (
    select e.id, e.recorded_at, e.type, e.targets
      from public.audit_events e
     where e.tenant_id = p_endpoint.tenant_id and e.recorded_at >= p_catch_up.reached_at
       and (e.recorded_at, e.id) > (p_catch_up.reached_at, p_catch_up.reached_id)
     order by e.recorded_at, e.id
     limit p_limit
  ), noted as (
    insert into public.webhook_deliveries
      (tenant_id, endpoint_id, event_id, event_recorded_at, event_type, ordering_key)
    select p_endpoint.tenant_id, p_endpoint.id, p.id, p.recorded_at, p.type,
           case when p_endpoint.ordering = 'strict' then coalesce(p.targets -> 0 ->> 'id', '') end
      from portion p
     where private.event_type_matches(p.type, p_endpoint.event_types)
       and not exists (
         select from public.webhook_deliveries d
          where d.tenant_id = p_endpoint.tenant_id and d.endpoint_id = p_endpoint.id
            and d.event_recorded_at >= p_catch_up.reached_at
            and d.event_recorded_at = p.recorded_at and d.event_id = p.id)
     order by p.recorded_at, p.id
    returning 1
  ), last as (
    select p.recorded_at, p.id from portion p order by p.recorded_at desc, p.id desc limit 1
  )
  select (select count(*) from portion), (select count(*) from noted),
         (select recorded_at from last), (select id from last)
    into v_seen, v_noted, v_at, v_id;
  if v_seen < p_limit then
    delete from private.webhook_catch_ups
     where tenant_id = p_endpoint.tenant_id and endpoint_id = p_endpoint.id;
  else
    update private.webhook_catch_ups
       set reached_at = v_at, reached_id = v_id, turn_at = clock_timestamp()
     where tenant_id = p_endpoint.tenant_id and endpoint_id = p_endpoint.id;
  end if;
  return v_noted;
end;
$$;
comment on function private.catch_up_endpoint(
  public.webhook_endpoints, private.webhook_catch_ups, integer
) is
  'Looks at so many events more and notes those that the endpoint wants and has no delivery of; returns how many. Called by private.catch_up_endpoints with both rows locked.';

create function private.catch_up_endpoints(p_limit integer default 5000) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_began timestamptz := clock_timestamp();
  v_horizon xid8;
  v_next record;
  v_noted integer := 0;
begin
  if not exists (select from private.webhook_catch_ups) then
    return 0;
  end if;
  update private.webhook_catch_ups c
     set barrier_xid = pg_current_xact_id() -- a snapshot's xmax may lie below one that still runs
   where (c.tenant_id, c.endpoint_id) in (
     select n.tenant_id, n.endpoint_id from private.webhook_catch_ups n
      where n.barrier_xid is null
         or n.barrier_xid > pg_snapshot_xmax(pg_current_snapshot()) -- of before a restore
      for update skip locked);
  v_horizon := private.sequence_horizon();
  loop
    -- a replay holds the catch-up, whoever changes the endpoint its row: another one's turn
    select e as endpoint, c as catch_up into v_next
      from private.webhook_catch_ups c
      join public.webhook_endpoints e on e.tenant_id = c.tenant_id and e.id = c.endpoint_id
     where c.barrier_xid <= v_horizon and e.enabled
     order by c.turn_at
     limit 1
       for no key update skip locked;
    exit when not found;
    begin
      v_noted := private.catch_up_endpoint(v_next.endpoint, v_next.catch_up, p_limit);
    exception when others then -- the others catch up all the same
      raise warning 'endpoint % does not catch up: % (%)',
        (v_next.endpoint).id, sqlerrm, sqlstate;
      update private.webhook_catch_ups set turn_at = clock_timestamp()
       where tenant_id = (v_next.endpoint).tenant_id and endpoint_id = (v_next.endpoint).id;
      return 0;
    end;
    exit when v_noted > 0 or clock_timestamp() - v_began > interval '250 ms';
  end loop;
  return v_noted;
end;
$$;
comment on function private.catch_up_endpoints(integer) is
  'Notes a portion of what new endpoints missed, so many events of one of them; returns how many deliveries. 0: nothing is left that could be noted now, or 250 ms went by in vain. Definer: callers never write deliveries.';

create function private.tg_webhook_endpoints__cancel() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  -- before the deliveries, as a replay locks; and whatever is recorded from now on it never gets
  delete from private.webhook_catch_ups where tenant_id = new.tenant_id and endpoint_id = new.id;
  update public.webhook_deliveries
     set state = 'cancelled', settled_at = clock_timestamp()
   where tenant_id = new.tenant_id and endpoint_id = new.id and state = 'pending';
  perform private.record_event(new.tenant_id, 'webhook_endpoint.disabled',
    jsonb_build_array(jsonb_build_object('kind', 'webhook_endpoint', 'id', new.id)),
    (select jsonb_build_object('url', new.url, 'reason', new.disabled_reason,
        'first_failure_at', s.first_failure_at)
       from (values (1)) one left join public.webhook_endpoint_states s
         on s.tenant_id = new.tenant_id and s.endpoint_id = new.id));
  return null;
end;
$$;
comment on function private.tg_webhook_endpoints__cancel() is
  'A disabled endpoint''s waiting deliveries are cancelled, to be replayed by choice, and it no longer catches up; the tenant''s other endpoints are told (webhook_endpoint.disabled). Definer: callers never write deliveries.';
create trigger _910_cancel after update of enabled on public.webhook_endpoints
  for each row when (old.enabled and not new.enabled)
  execute function private.tg_webhook_endpoints__cancel();
alter table public.webhook_endpoints enable always trigger _910_cancel;

-- Who noted a delivery may have seen the endpoint enabled a moment before it was not: that one is left behind the cancelling, due for ever.
create function private.cancel_stranded_deliveries(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_endpoint record;
  v_cancelled integer := 0;
  v_count integer;
begin
  for v_endpoint in
    select e.tenant_id, e.id from public.webhook_endpoints e
     where not e.enabled and exists ( -- a probe of the partial index
       select from public.webhook_deliveries d
        where d.tenant_id = e.tenant_id and d.endpoint_id = e.id and d.state = 'pending')
  loop
    perform from public.webhook_endpoints
      where tenant_id = v_endpoint.tenant_id and id = v_endpoint.id and not enabled
        for no key update skip locked;
    continue when not found;
    update public.webhook_deliveries
       set state = 'cancelled', settled_at = clock_timestamp()
     where tenant_id = v_endpoint.tenant_id and state = 'pending' and id = any (array(
       select d.id from public.webhook_deliveries d
        where d.tenant_id = v_endpoint.tenant_id and d.endpoint_id = v_endpoint.id
          and d.state = 'pending'
        limit p_limit - v_cancelled));
    get diagnostics v_count = row_count;
    v_cancelled := v_cancelled + v_count;
    exit when v_cancelled >= p_limit;
  end loop;
  return v_cancelled;
end;
$$;
comment on function private.cancel_stranded_deliveries(integer) is
  'Cancels what still waits for disabled endpoints, at most so many deliveries; returns how many. Definer: callers never write deliveries.';
