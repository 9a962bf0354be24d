-- tenants: one customer organization, and the one reserved platform tenant. Its ZITADEL twin is made by functions/provision/.
-- Unique in the world: the slug (it stands in addresses) and ZITADEL's ids.
-- Next: 40_provisioning_steps.sql (what a new row sets off), 90_api.sql (what callers may call), policies/10_tenants.sql (who may).
create table public.tenants (
  id uuid primary key default private.uuid_v7(),
  slug text not null
    constraint tenant_slug_taken unique
    constraint tenant_slug_malformed check (slug ~ '^[a-z][a-z0-9-]{0,61}[a-z0-9]$'),
  name text not null constraint tenant_name_malformed
    check (length(name) between 1 and 200 and name = btrim(name) and name !~ '[[:cntrl:]]'),
  kind text not null default 'customer' check (kind in ('platform', 'customer')),
  plan text not null default 'free' check (plan ~ '^[a-z][a-z0-9_-]{0,39}$'),
  branding jsonb not null default '{}' check (jsonb_typeof(branding) = 'object'),
  status text not null default 'provisioning'
    check (status in ('provisioning', 'active', 'suspended', 'archived')),
  admin_email text constraint tenant_admin_email_malformed
    check (admin_email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and length(admin_email) <= 200),
  admin_given_name text check (length(admin_given_name) between 1 and 200),
  admin_family_name text check (length(admin_family_name) between 1 and 200),
  personal_retention_days integer constraint tenant_personal_retention_malformed
    check (personal_retention_days between 1 and 36500),
  organization_id text unique,
  project_id text unique,
  login_domain text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  activated_at timestamptz,
  constraint tenant_administrator_incomplete check (
    (admin_email is null) = (admin_given_name is null)
    and (admin_email is null) = (admin_family_name is null)
  ),
  constraint tenant_platform_is_one check ((kind = 'platform') = (id = private.platform_tenant()))
);
comment on table public.tenants is 'A customer organization, or the platform itself.';
comment on column public.tenants.id is 'Also the id of the organization in ZITADEL, which takes ours.';
comment on column public.tenants.status is 'provisioning until every required step settled; suspended and archived by suspend_tenant and archive_tenant. Never written by callers.';
comment on column public.tenants.admin_email is 'The first administrator, made by provisioning; null: none is made.';
comment on column public.tenants.personal_retention_days is 'How long the log keeps personal values; null: as long as the events (settings audit.retention_days).';
comment on column public.tenants.organization_id is 'ZITADEL''s organization; written by provisioning only.';
comment on column public.tenants.project_id is 'ZITADEL''s project of the tenant''s applications; written by provisioning only.';
comment on column public.tenants.login_domain is 'What follows the @ in login names; written by provisioning only.';

create trigger _100_touch before update on public.tenants
  for each row execute function private.tg_touch();

create trigger _500_record after insert or update or delete on public.tenants
  for each row execute function private.tg_record_change(
    'tenant', 'status,activated_at,organization_id,project_id,login_domain',
    'admin_email,admin_given_name,admin_family_name'
  );
alter table public.tenants enable always trigger _500_record;

create function private.tg_tenants__record_status() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.record_event(
    new.id,
    'tenant.' || case new.status when 'active' then
      case when old.status = 'suspended' then 'resumed' else 'activated' end else new.status end,
    jsonb_build_array(jsonb_build_object('kind', 'tenant', 'id', new.id)),
    jsonb_build_object('before', jsonb_build_object('status', old.status),
      'after', jsonb_build_object('status', new.status))
  );
  return null;
end;
$$;
comment on function private.tg_tenants__record_status() is 'tenant.activated, tenant.suspended, tenant.resumed, tenant.archived. Definer: callers cannot write events.';

create trigger _510_record_status after update of status on public.tenants
  for each row when (old.status is distinct from new.status)
  execute function private.tg_tenants__record_status();
alter table public.tenants enable always trigger _510_record_status;
