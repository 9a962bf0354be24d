-- providers: where a tenant's people may sign in besides a password. Saved in ZITADEL by a later part; the row is what is wanted.
create table public.providers (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  name text not null check (length(name) between 1 and 200),
  kind text not null
    check (kind in ('ldap', 'saml', 'oidc', 'google', 'github', 'microsoft')),
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  enabled boolean not null default false,
  state text not null default 'pending' check (state in ('pending', 'active', 'error')),
  idp_id text unique, -- in the world: ZITADEL's ids are
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint provider_name_taken unique (tenant_id, name)
);
comment on table public.providers is 'A sign-in provider of one tenant. Holds no secret: those pass through to ZITADEL.';
comment on column public.providers.settings is 'Issuer, client id, scopes, hosts and the like, by kind.';
comment on column public.providers.state is 'What ZITADEL confirmed; written by provisioning only.';

create trigger _100_touch before update on public.providers
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.providers
  for each row execute function private.tg_record_change('provider', 'state,idp_id');
alter table public.providers enable always trigger _500_record;
