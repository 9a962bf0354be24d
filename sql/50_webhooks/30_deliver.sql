-- What an event sets off: a delivery row for each endpoint that wants it, in the same transaction. Nothing more: with add_job per event a
-- bare insert slows to 0.16, since its NOTIFY serializes commits. private.find_due_endpoints finds the rows after commit.

create function private.tg_audit_events__deliver() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  insert into public.webhook_deliveries
    (tenant_id, endpoint_id, event_id, event_recorded_at, event_type)
  select new.tenant_id, e.id, new.id, new.recorded_at, new.type
    from public.webhook_endpoints e
   where e.tenant_id = new.tenant_id and e.enabled and e.since_at <= new.recorded_at
     and private.event_type_matches(new.type, e.event_types);
  return null;
end;
$$;
comment on function private.tg_audit_events__deliver() is 'Notes the deliveries of a new event. Definer: callers never write deliveries.';
create trigger _900_deliver after insert on public.audit_events
  for each row execute function private.tg_audit_events__deliver();
alter table public.audit_events enable always trigger _900_deliver;

create function private.tg_webhook_endpoints__catch_up() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  -- Its own creation is recorded after _500_record ran, with the endpoint already there: not here again.
  insert into public.webhook_deliveries
    (tenant_id, endpoint_id, event_id, event_recorded_at, event_type)
  select e.tenant_id, new.id, e.id, e.recorded_at, e.type
    from public.audit_events e
   where e.tenant_id = new.tenant_id and e.recorded_at >= new.since_at
     and e.xid <> pg_current_xact_id()
     and private.event_type_matches(e.type, new.event_types)
   order by e.recorded_at, e.id;
  return null;
end;
$$;
comment on function private.tg_webhook_endpoints__catch_up() is 'Notes the deliveries of events that were recorded between since_at and now. Definer: callers never write deliveries.';
create trigger _900_catch_up after insert on public.webhook_endpoints
  for each row when (new.since_at < new.created_at)
  execute function private.tg_webhook_endpoints__catch_up();
alter table public.webhook_endpoints enable always trigger _900_catch_up;

create function private.tg_webhook_endpoints__cancel() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.webhook_deliveries
     set state = 'cancelled', settled_at = clock_timestamp(), claimed_until = null
   where tenant_id = new.tenant_id and endpoint_id = new.id and state = 'pending';
  return null;
end;
$$;
comment on function private.tg_webhook_endpoints__cancel() is 'A disabled endpoint''s waiting deliveries are cancelled, to be replayed by choice. Definer: callers never write deliveries.';
create trigger _910_cancel after update of enabled on public.webhook_endpoints
  for each row when (old.enabled and not new.enabled)
  execute function private.tg_webhook_endpoints__cancel();
alter table public.webhook_endpoints enable always trigger _910_cancel;
