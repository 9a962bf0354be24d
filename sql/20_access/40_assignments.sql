-- assignments: principal ↔ tenant ↔ role. Platform roles stand in the platform tenant. Every policy reads this table through private.tenants_with.
create table public.assignments (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  user_id uuid references public.users on delete cascade,
  service_account_id uuid,
  role_key text not null references public.roles,
  principal_id uuid not null generated always as (coalesce(user_id, service_account_id)) stored,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (tenant_id, service_account_id)
    references public.service_accounts (tenant_id, id) on delete cascade,
  constraint assignment_principal_malformed check (num_nonnulls(user_id, service_account_id) = 1),
  constraint assignment_taken unique (tenant_id, principal_id, role_key)
);
comment on table public.assignments is 'A user or a service account holds a role in a tenant.';
comment on column public.assignments.principal_id is 'user_id or service_account_id, whichever is there.';
create index assignments_principal_id_idx on public.assignments (principal_id, role_key, tenant_id);
create index assignments_user_id_idx on public.assignments (user_id);
create index assignments_service_account_id_idx
  on public.assignments (tenant_id, service_account_id);
create index assignments_role_key_idx on public.assignments (role_key);

create function private.tg_assignments__check() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_scope text := (select r.scope from public.roles r where r.key = new.role_key);
begin
  if (v_scope = 'platform') <> (new.tenant_id = private.platform_tenant()) then
    raise exception using errcode = 'PT422', message = 'role_out_of_scope',
      detail = format('Cannot assign %s in tenant %s: it is a role of scope %s',
        new.role_key, new.tenant_id, v_scope);
  end if;
  -- Platform staff may let anybody in; a tenant only its own people. Who may not assign at all learns nothing: the policy refuses.
  if new.user_id is not null
    and new.tenant_id in (select private.tenants_with('access.write'))
    and not private.platform_has('access.write')
    and not exists (
      select from public.users u where u.id = new.user_id and u.home_tenant_id = new.tenant_id)
  then
    raise exception using errcode = 'PT422', message = 'user_not_in_tenant',
      detail = format('Cannot assign a role to user %s: not a user of tenant %s',
        new.user_id, new.tenant_id);
  end if;
  return new;
end;
$$;
comment on function private.tg_assignments__check() is
  'Raises role_out_of_scope, user_not_in_tenant. Definer: reads users that the caller may not see, and tells only yes or no.';

create trigger _100_check before insert or update on public.assignments
  for each row execute function private.tg_assignments__check();
create trigger _500_record after insert or update or delete on public.assignments
  for each row execute function private.tg_record_change('assignment');
alter table public.assignments enable always trigger _500_record;
