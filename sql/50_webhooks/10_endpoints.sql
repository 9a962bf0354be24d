-- webhook_endpoints: where a tenant wants its events sent. Made by POST /functions/v1/webhooks/endpoints, since its secret is shown once there.
-- Next: 30_deliver.sql (what an event sets off), functions/_worker/tasks/endpoint__pump.ts (who sends).
create table public.webhook_endpoints (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  url text not null check (length(url) between 1 and 2000),
  description text not null default '' check (length(description) <= 500),
  event_types text[] constraint event_types_malformed check (
    cardinality(event_types) between 1 and 100
    and array_to_string(event_types, ' ') || ' '
      ~ '^([a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)? )+$'),
  enabled boolean not null default true,
  disabled_reason text,
  since_at timestamptz not null default now(),
  max_attempts integer not null default 10 check (max_attempts between 1 and 20),
  paused_until timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table public.webhook_endpoints is 'A receiver of a tenant''s events.';
comment on column public.webhook_endpoints.event_types is 'Types, or prefixes such as tenant.*; null: every type.';
comment on column public.webhook_endpoints.disabled_reason is 'Why it stopped: gone (the receiver answered 410) or what the caller wrote.';
comment on column public.webhook_endpoints.since_at is 'Events recorded from this moment on are sent, also those from before the endpoint was made.';
comment on column public.webhook_endpoints.paused_until is 'Nothing is sent before: the receiver asked for a slower pace. Written by the worker.';

create trigger _100_touch before update on public.webhook_endpoints
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.webhook_endpoints
  for each row execute function private.tg_record_change('webhook_endpoint', 'paused_until');
alter table public.webhook_endpoints enable always trigger _500_record;

create table private.webhook_secrets (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  id uuid not null default private.uuid_v7(),
  key_id text not null,
  ciphertext bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  primary key (tenant_id, endpoint_id, id),
  foreign key (tenant_id, endpoint_id)
    references public.webhook_endpoints (tenant_id, id) on delete cascade
);
comment on table private.webhook_secrets is
  'Signing secrets, AES-256-GCM by functions/_shared/secrets.ts; additional data: webhook_secrets|<tenant>|<endpoint>. Several while a rotation overlaps.';
comment on column private.webhook_secrets.expires_at is 'Signed with until then; null: the current one.';

create function private.event_type_matches(p_type text, p_filter text[]) returns boolean
language plpgsql immutable parallel safe set search_path = ''
as $$
begin
  return p_filter is null or p_type = any (p_filter) or exists (
    select from unnest(p_filter) f where f like '%.*' and starts_with(p_type, left(f, -1)));
end;
$$;
comment on function private.event_type_matches(text, text[]) is 'Whether a type passes an endpoint''s filter of types and prefixes.';
