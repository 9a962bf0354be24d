-- service_accounts: a service of a tenant that calls us as a ZITADEL machine user, matched by the token's sub.
create table public.service_accounts (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  name text not null check (length(name) between 1 and 200),
  issuer text,
  subject text,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint service_account_name_taken unique (tenant_id, name),
  check ((issuer is null) = (subject is null))
);
comment on table public.service_accounts is 'A service of a tenant that calls us with its own token.';
comment on column public.service_accounts.subject is 'The machine user''s id; written by provisioning only, so that no tenant can name another''s.';

-- Unique in the world: a subject of an issuer is one machine user.
create unique index service_account_subject_taken on public.service_accounts (issuer, subject);

create trigger _100_touch before update on public.service_accounts
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.service_accounts
  for each row execute function private.tg_record_change('service_account');
alter table public.service_accounts enable always trigger _500_record;
