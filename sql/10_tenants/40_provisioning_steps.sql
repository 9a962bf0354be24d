-- provisioning_steps: what must happen in other systems for a tenant, one row a step, made with the tenant and settled by functions/provision/saga.ts.
-- Not governed by the log: their outcome is (tenant.activated, app.activated).
create table public.provisioning_steps (
  tenant_id uuid not null references public.tenants on delete cascade,
  name text not null check (name ~ '^[a-z][a-z0-9_]*$'),
  position integer not null,
  required boolean not null default true,
  state text not null default 'pending' check (state in ('pending', 'ok', 'skipped', 'error')),
  attempts integer not null default 0,
  last_error jsonb,
  external_id text,
  input_hash text,
  started_at timestamptz,
  settled_at timestamptz,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, name),
  unique (tenant_id, position)
);
comment on table public.provisioning_steps is 'One step of bringing a tenant into being elsewhere. Read by callers, written by provisioning only.';
comment on column public.provisioning_steps.state is 'pending until tried and after a change; ok or skipped: settled; error: last_error says why.';
comment on column public.provisioning_steps.last_error is '{slug, detail, at} of the latest failure; kept after success until the next start.';
comment on column public.provisioning_steps.external_id is 'What the other system calls the thing that the step made.';
comment on column public.provisioning_steps.input_hash is 'SHA-256, hex, of the step''s canonical input when it last settled.';

create function private.tg_tenants__provision() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  insert into public.provisioning_steps (tenant_id, name, position, required)
  select new.id, s.name, s.position, s.name <> 'event_hint'
    from unnest(
      case new.kind when 'platform' then array[
        'organization', 'features', 'security_policy', 'oidc_settings', 'project', 'roles',
        'portal_app', 'machine_users', 'administrator', 'provider', 'event_hint']
      else array['organization', 'domain_policy', 'project', 'roles', 'app', 'administrator',
        'provider'] end
    ) with ordinality as s (name, position);
  perform private.enqueue_reconcile(new.id);
  return null;
end;
$$;
comment on function private.tg_tenants__provision() is 'A new tenant gets its steps and its job in the same transaction. Definer: callers write neither.';

create function private.enqueue_reconcile(p_tenant uuid) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  if p_tenant = private.platform_tenant() then
    perform private.enqueue('instance__reconcile', '{}', 'instance__reconcile');
  else
    perform private.enqueue('tenant__reconcile', jsonb_build_object('tenantId', p_tenant),
      'tenant__reconcile:' || p_tenant);
  end if;
end;
$$;
comment on function private.enqueue_reconcile(uuid) is 'Notes that a tenant''s twin in ZITADEL is to be looked at. Definer: the queue is its owner''s.';

create trigger _900_provision after insert on public.tenants
  for each row execute function private.tg_tenants__provision();
alter table public.tenants enable always trigger _900_provision;

create function private.tg_tenants__reprovision() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.enqueue_reconcile(new.id);
  return null;
end;
$$;
comment on function private.tg_tenants__reprovision() is 'What ZITADEL must learn of a changed tenant. Definer: the queue is its owner''s.';

create trigger _910_reprovision
  after update of name, status, admin_email, admin_given_name, admin_family_name on public.tenants
  for each row
  when (
    (old.name, old.admin_email, old.admin_given_name, old.admin_family_name)
      is distinct from (new.name, new.admin_email, new.admin_given_name, new.admin_family_name)
    or (old.status is distinct from new.status and old.status <> 'provisioning')
  )
  execute function private.tg_tenants__reprovision();
alter table public.tenants enable always trigger _910_reprovision;
