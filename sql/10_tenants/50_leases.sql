-- The saga's side of provisioning: one holder a tenant, fenced. A token grows with every lease; who writes with an old one is refused.
-- Callers: functions/provision/saga.ts and instance.ts, as gatehouse_worker or gatehouse_provision.
create table private.provisioning_leases (
  tenant_id uuid primary key references public.tenants on delete cascade,
  token bigint not null default 0,
  holder text,
  expires_at timestamptz
);
comment on table private.provisioning_leases is 'Who runs the saga of a tenant, until when, with which fencing token.';

create function private.lease_tenant(p_tenant uuid, p_holder text, p_seconds integer) returns bigint
language sql volatile security definer set search_path = ''
as $$
  insert into private.provisioning_leases as l (tenant_id, token, holder, expires_at)
  select t.id, 1, p_holder, clock_timestamp() + make_interval(secs => p_seconds)
    from public.tenants t where t.id = p_tenant
  on conflict (tenant_id) do update
    set token = l.token
          + (l.holder is distinct from p_holder or l.expires_at < clock_timestamp())::integer,
        holder = excluded.holder, expires_at = excluded.expires_at
    where l.holder is null or l.holder = p_holder or l.expires_at < clock_timestamp()
  returning token
$$;
comment on function private.lease_tenant(uuid, text, integer) is
  'Takes or renews the lease for so many seconds; returns the fencing token, or null while another holds it. Definer: leases are private.';

create function private.release_tenant(p_tenant uuid, p_token bigint) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update private.provisioning_leases set holder = null, expires_at = null
   where tenant_id = p_tenant and token = p_token and holder is not null;
  return found;
end;
$$;
comment on function private.release_tenant(uuid, bigint) is 'Gives the lease back; false when the token is no longer the newest. Definer: leases are private.';

create function private.require_lease(p_tenant uuid, p_token bigint) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform from private.provisioning_leases
    where tenant_id = p_tenant and token = p_token and expires_at >= clock_timestamp()
    for update;
  if not found then
    raise exception using errcode = 'PT409', message = 'lease_lost',
      detail = format('The lease %s of tenant %s ran out or was taken over', p_token, p_tenant);
  end if;
end;
$$;
comment on function private.require_lease(uuid, bigint) is 'Raises lease_lost unless the token is the newest and in time; locks the lease until commit. Definer: leases are private.';
