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
-- written beside it, so what it missed is noted once every older transaction has ended; usually that is at once.
create table private.webhook_catch_ups (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  xid xid8 not null default pg_current_xact_id(),
  primary key (tenant_id, endpoint_id),
  foreign key (tenant_id, endpoint_id)
    references public.webhook_endpoints (tenant_id, id) on delete cascade
);
comment on table private.webhook_catch_ups is
  'Endpoints that wait for the deliveries of events between their since_at and their creation.';

create function private.tg_webhook_endpoints__catch_up() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  insert into private.webhook_catch_ups (tenant_id, endpoint_id) values (new.tenant_id, new.id);
  return null;
end;
$$;
comment on function private.tg_webhook_endpoints__catch_up() is
  'Notes that the endpoint is to catch up. Definer: the table is private.';
create trigger _900_catch_up after insert on public.webhook_endpoints
  for each row execute function private.tg_webhook_endpoints__catch_up();
alter table public.webhook_endpoints enable always trigger _900_catch_up;

create function private.catch_up_endpoints() returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_endpoint record;
  v_noted integer := 0;
  v_count integer;
begin
  if not exists (select from private.webhook_catch_ups) then
    return 0;
  end if;
  for v_endpoint in
    delete from private.webhook_catch_ups c
     using public.webhook_endpoints e
     where e.tenant_id = c.tenant_id and e.id = c.endpoint_id
       and (c.xid < private.sequence_horizon()
         or c.xid >= pg_snapshot_xmax(pg_current_snapshot())) -- of before a restore
    returning e.tenant_id, e.id, e.since_at, e.ordering, e.event_types
  loop
    insert into public.webhook_deliveries
      (tenant_id, endpoint_id, event_id, event_recorded_at, event_type, ordering_key)
    select e.tenant_id, v_endpoint.id, e.id, e.recorded_at, e.type,
           case when v_endpoint.ordering = 'strict' then coalesce(e.targets -> 0 ->> 'id', '') end
      from public.audit_events e
     where e.tenant_id = v_endpoint.tenant_id and e.recorded_at >= v_endpoint.since_at
       and private.event_type_matches(e.type, v_endpoint.event_types)
       and not exists (
         select from public.webhook_deliveries d
          where d.tenant_id = e.tenant_id and d.endpoint_id = v_endpoint.id
            and d.event_id = e.id)
     order by e.recorded_at, e.id;
    get diagnostics v_count = row_count;
    v_noted := v_noted + v_count;
  end loop;
  return v_noted;
end;
$$;
comment on function private.catch_up_endpoints() is
  'Notes what new endpoints missed; returns how many deliveries. Definer: callers never write deliveries.';

create function private.tg_webhook_endpoints__cancel() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
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
  'A disabled endpoint''s waiting deliveries are cancelled, to be replayed by choice; the tenant''s other endpoints are told (webhook_endpoint.disabled). Definer: callers never write deliveries.';
create trigger _910_cancel after update of enabled on public.webhook_endpoints
  for each row when (old.enabled and not new.enabled)
  execute function private.tg_webhook_endpoints__cancel();
alter table public.webhook_endpoints enable always trigger _910_cancel;
