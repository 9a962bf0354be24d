-- tenant_domains: the e-mail domains a tenant claims. A verified domain belongs to one tenant in the world; an unverified one to whoever asks.
create table public.tenant_domains (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  name text not null constraint domain_malformed
    check (name ~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$'
      and length(name) <= 253),
  verification text not null default 'dns' check (verification in ('dns', 'operator')),
  verification_token text not null
    default 'gatehouse-' || replace(gen_random_uuid()::text, '-', ''),
  verified_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint domain_name_taken unique (tenant_id, name)
);
comment on table public.tenant_domains is 'An e-mail domain that a tenant claims.';
comment on column public.tenant_domains.verification_token is 'The value of the DNS TXT record _gatehouse.<domain> that proves the claim. Not a secret: DNS is public.';
comment on column public.tenant_domains.verified_at is 'Null until proven by DNS or by an operator; never written by callers.';

-- Unique in the world, so without tenant_id: two tenants cannot both hold a proven domain.
create unique index domain_verified_elsewhere
  on public.tenant_domains (name) where verified_at is not null;

create trigger _100_touch before update on public.tenant_domains
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.tenant_domains
  for each row execute function private.tg_record_change('tenant_domain');
alter table public.tenant_domains enable always trigger _500_record;
