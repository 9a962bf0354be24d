-- subscriptions: which plan a tenant holds, and for which period. Periods of one tenant do not overlap; the open one has no end.
create table public.subscriptions (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  plan text not null check (plan ~ '^[a-z][a-z0-9_-]{0,39}$'),
  starts_at timestamptz not null default now(),
  ends_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint subscription_ends_before_it_starts check (ends_at > starts_at)
);
comment on table public.subscriptions is 'A plan held by a tenant from starts_at until ends_at (exclusive).';
create unique index subscription_already_open
  on public.subscriptions (tenant_id) where ends_at is null;

create trigger _100_touch before update on public.subscriptions
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.subscriptions
  for each row execute function private.tg_record_change('subscription');
alter table public.subscriptions enable always trigger _500_record;
