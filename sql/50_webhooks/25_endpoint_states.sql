-- webhook_endpoint_states: how it goes with an endpoint, one row each. Apart from the endpoint, since the worker writes it with every batch:
-- a configuration that changes that often would be read in vain by every writer of an event.
create table public.webhook_endpoint_states (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  circuit text not null default 'closed' check (circuit in ('closed', 'open', 'half_open')),
  failures_in_a_row integer not null default 0,
  opened integer not null default 0,
  first_failure_at timestamptz,
  last_success_at timestamptz,
  pump uuid,
  pump_until timestamptz,
  next_slot_at timestamptz,
  look_again_after timestamptz,
  complete_until timestamptz,
  barrier_at timestamptz,
  barrier_xid xid8,
  primary key (tenant_id, endpoint_id),
  foreign key (tenant_id, endpoint_id)
    references public.webhook_endpoints (tenant_id, id) on delete cascade
);
comment on table public.webhook_endpoint_states is 'Whether an endpoint''s receiver answers. Written by the worker only.';
comment on column public.webhook_endpoint_states.circuit is
  'closed: all that is due is sent. open, after ten failures in a row: nothing is, until the endpoint''s paused_until. half_open: one delivery is on its way to find out.';
comment on column public.webhook_endpoint_states.opened is 'How often the circuit opened since the last success: each time it stays open twice as long.';
comment on column public.webhook_endpoint_states.first_failure_at is 'Since then every attempt failed; null after a success. Five days of it disable the endpoint.';
comment on column public.webhook_endpoint_states.pump is
  'Who sends to the endpoint now: one at a time, so that its order, rate and circuit are kept. Deliveries themselves are not marked: a batch of 200 costs one update instead of 200.';
comment on column public.webhook_endpoint_states.pump_until is 'When another may take over from a pump that does not say so itself.';
comment on column public.webhook_endpoint_states.next_slot_at is 'Every moment before is given away; with a rate per second, the next request is sent no sooner.';
comment on column public.webhook_endpoint_states.look_again_after is 'Strict ordering: all that is due waits for something earlier, so nobody need look before.';
comment on column public.webhook_endpoint_states.complete_until is 'Strict ordering: every event recorded before is committed or never will be.';
comment on column public.webhook_endpoint_states.barrier_xid is
  'complete_until becomes barrier_at when every transaction below it has ended.';

create function private.tg_webhook_endpoints__start_state() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  if tg_op = 'INSERT' then
    insert into public.webhook_endpoint_states (tenant_id, endpoint_id)
    values (new.tenant_id, new.id);
  else
    update public.webhook_endpoint_states
       set circuit = 'closed', failures_in_a_row = 0, opened = 0, first_failure_at = null
     where tenant_id = new.tenant_id and endpoint_id = new.id;
    update public.webhook_endpoints set paused_until = null
     where tenant_id = new.tenant_id and id = new.id and paused_until is not null;
  end if;
  return null;
end;
$$;
comment on function private.tg_webhook_endpoints__start_state() is
  'A new endpoint, or one that is enabled again, starts with nothing held against it. Definer: callers never write states.';
create trigger _600_start_state after insert on public.webhook_endpoints
  for each row execute function private.tg_webhook_endpoints__start_state();
create trigger _610_start_again after update of enabled on public.webhook_endpoints
  for each row when (new.enabled and not old.enabled)
  execute function private.tg_webhook_endpoints__start_state();
alter table public.webhook_endpoints enable always trigger _600_start_state;
alter table public.webhook_endpoints enable always trigger _610_start_again;
