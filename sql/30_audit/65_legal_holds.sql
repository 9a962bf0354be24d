-- legal_holds: while one is open, nothing of the tenant is erased: no person (75_erasure.sql), no personal value and no month of the log (70_retention.sql).
-- Next: 91_persons_api.sql (place_legal_hold, lift_legal_hold).
create table public.legal_holds (
  tenant_id uuid not null references public.tenants,
  id uuid not null default private.uuid_v7(),
  reason text not null
    constraint legal_hold_reason_malformed check (length(reason) between 1 and 500),
  placed_at timestamptz not null default clock_timestamp(),
  lifted_at timestamptz,
  primary key (tenant_id, id)
);
comment on table public.legal_holds is
  'Periods in which nothing of a tenant may be erased. Written by place_legal_hold and lift_legal_hold only.';
comment on column public.legal_holds.reason is 'The case it is for. Shown to who may read the log.';
comment on column public.legal_holds.lifted_at is 'Null while it holds.';
create unique index legal_hold_already_open on public.legal_holds (tenant_id)
  where lifted_at is null;

create trigger _500_record after insert or update or delete on public.legal_holds
  for each row execute function private.tg_record_change('legal_hold');
alter table public.legal_holds enable always trigger _500_record;

create function private.lock_holds(p_exclusive boolean default false) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  if p_exclusive then
    perform pg_advisory_xact_lock(779, 6);
  else
    perform pg_advisory_xact_lock_shared(779, 6);
  end if;
end;
$$;
comment on function private.lock_holds(boolean) is
  'Whoever erases shares the lock, whoever places a hold has it alone: no erasure ends after the hold was confirmed.';

create function private.is_held(p_tenant uuid) returns boolean
language sql stable set search_path = ''
as $$
  select exists (
    select from public.legal_holds where tenant_id = p_tenant and lifted_at is null)
$$;
comment on function private.is_held(uuid) is
  'Whether a legal hold is open over the tenant.';
