-- webhook_endpoints: where a tenant wants its events sent. Made by POST /functions/v1/webhooks/endpoints, since its secret is shown once there.
-- Next: 30_deliver.sql (what an event sets off), 40_pump.sql to 44_settle.sql and functions/_worker/tasks/endpoint__pump.ts (how it is sent).

-- A filter runs once an event and endpoint, in the worker's claim, and may only take as long as the data is. So only what is known to be harmless
-- is let in, and what is let in only walks down: .key, .*, [*], [n] and [n to m] lead from parts of the data to other parts of these, each at most
-- once, and so does a filter, whose @ is one part. Then no step finds more than the data has, and all of it is as many steps as the filter
-- has times the parts of the data. Out is what looks at one part again for each of another (two paths compared: lax paths open arrays, so n × m, and in
-- a filter n × m × n), what makes more of it ([0,0,0,0]: of a part four, of these sixteen), and what makes one part expensive (arithmetic and
-- conversions of a number with 100 000 digits). The worst known on 64 KiB takes 0.1 s. What takes long nevertheless stops its endpoint (42_claim.sql).
create function private.payload_filter_problem(p_filter text) returns text
language plpgsql stable parallel safe set search_path = ''
as $$
declare
  v_canonical text;
  v_bare text; -- canonical, without what stands in quotes
  v_rest text; -- of it, what is not known to be harmless
begin
  if length(p_filter) not between 1 and 300 then
    return 'it has 1 to 300 characters';
  elsif not pg_input_is_valid(p_filter, 'jsonpath') then
    return 'it is not a jsonpath';
  end if;
  v_canonical := p_filter::jsonpath::text;
  if length(v_canonical) > 3000 then -- of 300 characters only exponents make as many
    return 'it has a number with too many digits';
  end if;
  v_bare := regexp_replace(v_canonical, '"([^"\\]|\\.)*"', '""', 'g');
  v_rest := btrim(regexp_replace(v_bare,
    '^strict |\$|@|\.""|\.\*|\[(\*|\d+|last|\d+ to (\d+|last))\]'
    || '|\.(type|size|abs|floor|ceiling)\(\)|\?|\(|\)|exists |&&|\|\||!|==|!=|<>|<=|>=|<|>'
    || '|starts with ""|is unknown|-?\d+(\.\d+)?|""|true|false|null', '', 'g'));
  return case
    when v_bare ~ 'like_regex' then 'it has a regular expression; use starts with'
    when v_bare ~ '\*\*' then 'it looks at every depth (**); name the path'
    when v_bare ~ 'keyvalue' then 'it has keyvalue()'
    when regexp_count(v_bare, '\*| to ') > 2 then 'it has more than two * or ranges'
    when regexp_count(v_bare, '\?') > 2 then 'it has more than two ?'
    when regexp_count(v_bare, '[$@]') > 20 then 'it has more than 20 paths'
    when regexp_count(v_bare, '\.|\[') > 40 then 'its paths have more than 40 steps'
    when v_bare ~ '\$""' then 'it has a variable; $ is the event''s data'
    when v_bare ~ '(==|!=|<=|>=|<|>)[^&|)]*[@$]'
      then 'it compares two paths; compare a path with a value, on the right'
    when v_bare ~ '\?' and regexp_count(v_bare, '\$') > 1
      then 'it has another $ beside its ?; start from @ inside'
    when v_bare ~ '\[[^]]*,'
      then 'it has several subscripts in one pair of brackets; use one, or [*]'
    when v_rest <> '' then format('it has "%s", which is not taken here', left(v_rest, 50))
  end;
end;
$$;
comment on function private.payload_filter_problem(text) is 'Why a jsonpath may not be an endpoint''s filter; null when it may.';

create function private.retry_schedule_holds(p_seconds integer[]) returns boolean
language sql immutable parallel safe set search_path = ''
as $$
  select cardinality(p_seconds) <= 20 and coalesce(array_ndims(p_seconds), 1) = 1
    and array_position(p_seconds, null) is null
    and 1 <= all (p_seconds) and 86400 >= all (p_seconds)
$$;
comment on function private.retry_schedule_holds(integer[]) is 'Whether these are at most 20 waits of a second to a day.';

create function private.header_names_hold(p_names text[]) returns boolean
language sql immutable parallel safe set search_path = ''
as $$
  select cardinality(p_names) <= 20 and array_position(p_names, null) is null
    and not exists (select from unnest(p_names) n
      where n !~ '^[a-z][a-z0-9-]{0,63}$' or n ~ ('^(webhook-.*|content-.*|proxy-.*|'
      || 'sec-.*|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|date|'
      || 'user-agent|accept-encoding|traceparent|tracestate|baggage|forwarded|x-forwarded-.*)$'))
$$;
comment on function private.header_names_hold(text[]) is 'Whether these are at most 20 names of headers, lower case, none of those that are ours or the connection''s.';

create function private.event_types_hold(p_types text[]) returns boolean
language sql immutable parallel safe set search_path = ''
as $$
  select cardinality(p_types) between 1 and 100 and array_ndims(p_types) = 1
    and array_position(p_types, null) is null
    and not exists (select from unnest(p_types) t
      where t !~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?$')
$$;
comment on function private.event_types_hold(text[]) is 'Whether these are 1 to 100 names of types or prefixes such as tenant.*, whether there are such types or not.';

create table public.webhook_endpoints (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  url text not null check (length(url) between 1 and 2000),
  description text not null default '' check (length(description) <= 500),
  event_types text[]
    constraint event_types_malformed check (private.event_types_hold(event_types)),
  enabled boolean not null default true,
  disabled_reason text check (length(disabled_reason) <= 500),
  since_at timestamptz not null default now(),
  signature_scheme text not null default 'v1' check (signature_scheme in ('v1', 'v1a', 'both')),
  public_key text check (public_key ~ '^whpk_[A-Za-z0-9+/]{43}=$'),
  retry_schedule integer[] not null
    default '{5,300,1800,7200,18000,36000,50400,72000,86400}'
    constraint retry_schedule_malformed check (private.retry_schedule_holds(retry_schedule)),
  ordering text not null default 'parallel' check (ordering in ('parallel', 'strict')),
  rate_per_second integer
    constraint rate_per_second_malformed check (rate_per_second between 1 and 1000),
  payload_filter text,
  header_names text[] not null default '{}'
    constraint header_names_refused check (private.header_names_hold(header_names)),
  paused_until timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  removed_at timestamptz,
  primary key (tenant_id, id),
  check (removed_at is null or not enabled)
);
comment on table public.webhook_endpoints is 'A receiver of a tenant''s events.';
comment on column public.webhook_endpoints.event_types is 'Types, or prefixes such as tenant.*; null: every type.';
comment on column public.webhook_endpoints.disabled_reason is
  'Why it stopped: gone (the receiver answered 410), asked (webhook-delivery: disable), failing (five days of nothing but failure), payload_filter_slow, removed, or what the caller wrote. Null while it is enabled.';
comment on column public.webhook_endpoints.signature_scheme is 'v1: HMAC-SHA256. v1a: Ed25519. both: one of each in the same header. Changed with its keys, by rotation.';
comment on column public.webhook_endpoints.public_key is 'whpk_…: what verifies v1a; null without. While a rotation overlaps the one before holds too.';
comment on column public.webhook_endpoints.retry_schedule is
  'Seconds to wait after each failed attempt, ± 20 %; one attempt more than there are waits. Default: Standard Webhooks'' example, 10 attempts over 75 h 35 min.';
comment on column public.webhook_endpoints.ordering is
  'parallel, or strict: of the events whose first target is the same, recorded from the choice on, none is sent before the earlier one is settled.';
comment on column public.webhook_endpoints.rate_per_second is 'Requests in any second, never more; null: as many as the receiver takes.';
comment on column public.webhook_endpoints.payload_filter is
  'A jsonpath on the event''s data: sent when the first thing it finds is there, and is neither false nor null.';
comment on column public.webhook_endpoints.header_names is 'Headers that are added to each request. Their values are sealed in private.webhook_headers.';
comment on column public.webhook_endpoints.since_at is 'Events recorded from this moment on are sent, also those from before the endpoint was made.';
comment on column public.webhook_endpoints.paused_until is 'Nothing is sent before: the receiver asked for a slower pace. Written by the worker.';
comment on column public.webhook_endpoints.removed_at is
  'Removed for good: no caller sees it any more, its secrets and headers are erased. The row stays, since its deliveries are kept as long as others.';

create trigger _100_touch before update on public.webhook_endpoints
  for each row execute function private.tg_touch();
create function private.tg_webhook_endpoints__check_filter() returns trigger
language plpgsql stable set search_path = ''
as $$
declare
  v_problem text := private.payload_filter_problem(new.payload_filter);
begin
  if v_problem is not null then
    raise exception using errcode = 'PT422', message = 'payload_filter_refused',
      detail = format('Cannot filter by "%s": %s', left(new.payload_filter, 300), v_problem);
  end if;
  return new;
end;
$$;
comment on function private.tg_webhook_endpoints__check_filter() is 'Refuses a filter that is no jsonpath or could take long.';
create trigger _110_check_filter before insert or update of payload_filter
  on public.webhook_endpoints
  for each row when (new.payload_filter is not null)
  execute function private.tg_webhook_endpoints__check_filter();

create function private.check_event_types(p_tenant uuid, p_types text[]) returns void
language plpgsql stable set search_path = ''
as $$
declare
  v_unknown text;
begin
  if not private.event_types_hold(p_types) then
    return; -- event_types_malformed says so
  end if;
  select f into v_unknown from unnest(p_types) f
   where not exists (
     select from public.event_types t where private.event_type_matches(t.name, array[f]))
     and f <> 'custom.*' and not exists (
     select from public.custom_event_types t
      where t.tenant_id = p_tenant and private.event_type_matches(t.name, array[f]))
   limit 1;
  if found then
    perform private.refuse(422, 'event_type_unknown', format('There is no event type "%s"', v_unknown));
  end if;
end;
$$;
comment on function private.check_event_types(uuid, text[]) is 'Raises event_type_unknown when one of these types or prefixes fits no type of event, the tenant''s own included.';

create function private.tg_webhook_endpoints__check_types() returns trigger
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.check_event_types(new.tenant_id, array(
    select t from unnest(new.event_types) t
     where old.event_types is null or t <> all (old.event_types)));
  return new;
end;
$$;
comment on function private.tg_webhook_endpoints__check_types() is
  'Raises event_type_unknown for what an endpoint is to be sent from now on; a new one is checked where it is made. Definer: who changes endpoints need not see the tenant''s own types.';
create trigger _120_check_types before update of event_types on public.webhook_endpoints
  for each row when (new.event_types is not null)
  execute function private.tg_webhook_endpoints__check_types();

create function private.tg_webhook_endpoints__clear_reason() returns trigger
language plpgsql stable set search_path = ''
as $$
begin
  new.disabled_reason := null;
  return new;
end;
$$;
comment on function private.tg_webhook_endpoints__clear_reason() is 'An enabled endpoint has no reason to be disabled: the next time would be told with the last time''s.';
create trigger _130_clear_reason before insert or update on public.webhook_endpoints
  for each row when (new.enabled and new.disabled_reason is not null)
  execute function private.tg_webhook_endpoints__clear_reason();

create trigger _500_record after insert or update or delete on public.webhook_endpoints
  for each row execute function private.tg_record_change('webhook_endpoint', 'paused_until');
alter table public.webhook_endpoints enable always trigger _500_record;

create table private.webhook_secrets (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  id uuid not null default private.uuid_v7(),
  scheme text not null default 'v1' check (scheme in ('v1', 'v1a')),
  key_id text not null,
  ciphertext bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  primary key (tenant_id, endpoint_id, id),
  foreign key (tenant_id, endpoint_id)
    references public.webhook_endpoints (tenant_id, id) on delete cascade
);
comment on table private.webhook_secrets is
  'Signing secrets (whsec_…) and private keys (whsk_…), AES-256-GCM by functions/_shared/secrets.ts; additional data: webhook_secrets|<tenant>|<endpoint>. Several while a rotation overlaps.';
comment on column private.webhook_secrets.expires_at is 'Signed with until then; null: the current one.';

create table private.webhook_headers (
  tenant_id uuid not null,
  endpoint_id uuid not null,
  key_id text not null,
  ciphertext bytea not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, endpoint_id),
  foreign key (tenant_id, endpoint_id)
    references public.webhook_endpoints (tenant_id, id) on delete cascade
);
comment on table private.webhook_headers is
  'Headers of an endpoint as a JSON object, sealed whole, since a value often is a credential; additional data: webhook_headers|<tenant>|<endpoint>.';

create function private.event_type_matches(p_type text, p_filter text[]) returns boolean
language plpgsql immutable parallel safe set search_path = ''
as $$
begin
  return p_filter is null or p_type = any (p_filter) or exists (
    select from unnest(p_filter) f where f like '%.*' and starts_with(p_type, left(f, -1)));
end;
$$;
comment on function private.event_type_matches(text, text[]) is 'Whether a type passes an endpoint''s filter of types and prefixes.';
