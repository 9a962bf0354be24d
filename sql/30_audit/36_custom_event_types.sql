-- custom_event_types: events of a tenant's own making, in its namespace custom.*. A type is registered here with its schema; an event of it is recorded by
-- POST /functions/v1/events (functions/events), which validates `data` and calls private.record_custom_event.

create function private.event_schema_problem(
  p_schema jsonb, p_root boolean default true, p_path text default '#'
) returns text
language plpgsql immutable parallel safe set search_path = ''
as $$
declare
  v_key text;
  v_value jsonb;
  v_kind text;
  v_subschemas jsonb; -- path → schema
  v_path text;
  v_problem text;
begin
  if p_root and (jsonb_typeof(p_schema) <> 'object' or length(p_schema::text) > 8192) then
    return 'it is an object of 8192 characters at most';
  elsif p_root and (select count(*) > 200 from jsonb_path_query(p_schema, 'strict $.**')) then
    return 'it has 200 parts at most';
  elsif jsonb_typeof(p_schema) = 'boolean' then
    return null;
  elsif jsonb_typeof(p_schema) <> 'object' then
    return format('%s is an object, true or false', p_path);
  end if;
  for v_key, v_value in select key, value from jsonb_each(p_schema) loop
    v_kind := jsonb_typeof(v_value);
    v_subschemas := '{}';
    v_problem := case
      when v_key = '$schema' then
        case when not p_root or v_value <> '"https://json-schema.org/draft/2020-12/schema"' then
          'names JSON Schema 2020-12, at the root' end
      when v_key in ('title', 'description', '$comment') then
        case when v_kind <> 'string' then 'is a text' end
      when v_key in ('const', 'default') then null
      when v_key in ('enum', 'examples') then
        case when v_kind <> 'array' or v_value = '[]' then 'is a list' end
      when v_key = 'type' then
        case when not (case v_kind when 'array' then v_value else jsonb_build_array(v_value) end
          <@ '["null", "boolean", "object", "array", "number", "integer", "string"]')
          or v_value = '[]' then 'is one or more of the types of JSON, or integer' end
      when v_key = 'format' then
        case when not jsonb_build_array(v_value)
          <@ '["date-time", "date", "time", "uuid", "email", "uri", "ipv4", "ipv6"]'
          then 'is date-time, date, time, uuid, email, uri, ipv4 or ipv6' end
      when v_key = 'required' then
        case when v_kind <> 'array'
          or jsonb_path_exists(v_value, '$[*] ? (@.type() != "string")')
          then 'is a list of names' end
      when v_key in ('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum') then
        case when v_kind <> 'number' then 'is a number' end
      when v_key = 'multipleOf' then
        case when v_kind <> 'number' or v_value <= '0' then 'is a number above 0' end
      when v_key in ('minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties',
        'maxProperties') then
        case when v_kind <> 'number' or v_value::text !~ '^\d{1,9}$' then 'is a whole number' end
      when v_key in ('items', 'additionalProperties', 'not') then null
      when v_key = 'properties' then case when v_kind <> 'object' then 'is an object' end
      when v_key in ('prefixItems', 'anyOf', 'oneOf', 'allOf') then
        case when v_kind <> 'array' or v_value = '[]' then 'is a list of schemas' end
      -- References could run in circles or blow up, patterns take forever: a schema is a tree that is walked once.
      else 'is not a keyword that is taken here' end;
    if v_problem is not null then
      return format('%s/%s %s', p_path, v_key, v_problem);
    end if;
    if v_key in ('items', 'additionalProperties', 'not') then
      v_subschemas := jsonb_build_object(v_key, v_value);
    elsif v_key = 'properties' then
      select coalesce(jsonb_object_agg(v_key || '/' || key, value), '{}') into v_subschemas
        from jsonb_each(v_value);
    elsif v_key in ('prefixItems', 'anyOf', 'oneOf', 'allOf') then
      select jsonb_object_agg(v_key || '/' || n - 1, e) into v_subschemas
        from jsonb_array_elements(v_value) with ordinality as x (e, n);
    end if;
    for v_path, v_value in select key, value from jsonb_each(v_subschemas) loop
      v_problem := private.event_schema_problem(v_value, false, p_path || '/' || v_path);
      if v_problem is not null then
        return v_problem;
      end if;
    end loop;
  end loop;
  return null;
end;
$$;
comment on function private.event_schema_problem(jsonb, boolean, text) is
  'Why a JSON Schema is not taken for a tenant''s own events; null when it is. Taken: 2020-12 without references and patterns, so that no schema makes validation run long.';

create table public.custom_event_types (
  tenant_id uuid not null references public.tenants on delete cascade,
  name text not null constraint custom_event_type_malformed
    check (length(name) <= 100 and name ~ '^custom(\.[a-z][a-z0-9_]*)+$'),
  version integer not null default 1,
  description text not null default '' check (length(description) <= 500),
  schema jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint custom_event_type_taken primary key (tenant_id, name)
);
comment on table public.custom_event_types is 'Types of a tenant''s own events. None is removed: the log holds events of it.';
comment on column public.custom_event_types.name is 'custom. and the tenant''s own words.';
comment on column public.custom_event_types.version is 'One more with every change of the schema; an event names the version that it was validated against.';
comment on column public.custom_event_types.schema is 'JSON Schema 2020-12 of `data`, without references and patterns.';

create function private.tg_custom_event_types__check() returns trigger
language plpgsql volatile set search_path = ''
as $$
declare
  v_problem text := private.event_schema_problem(new.schema);
begin
  if v_problem is not null then
    raise exception using errcode = 'PT422', message = 'event_schema_refused',
      detail = format('Cannot take the schema of "%s": %s', left(new.name, 100), v_problem);
  end if;
  if tg_op = 'UPDATE' then
    new.version := old.version + (new.schema <> old.schema)::integer;
  end if;
  return new;
end;
$$;
comment on function private.tg_custom_event_types__check() is 'Raises event_schema_refused; counts versions.';
create trigger _100_check before insert or update on public.custom_event_types
  for each row execute function private.tg_custom_event_types__check();
create trigger _110_touch before update on public.custom_event_types
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.custom_event_types
  for each row execute function private.tg_record_change('custom_event_type');
alter table public.custom_event_types enable always trigger _500_record;

create table private.event_requests (
  tenant_id uuid not null,
  principal_id uuid not null,
  key text not null,
  fingerprint bytea not null,
  answer jsonb,
  created_at timestamptz not null default now(),
  primary key (tenant_id, principal_id, key)
);
comment on table private.event_requests is 'What was answered under an Idempotency-Key, for a day or two.';
comment on column private.event_requests.fingerprint is 'SHA-256 of the request, to tell another one under the same key.';
create index event_requests_created_at_idx on private.event_requests (created_at);

create function private.find_event_answer(p_tenant uuid, p_key text, p_request jsonb)
returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_found private.event_requests;
begin
  select * into v_found from private.event_requests r
   where r.tenant_id = p_tenant and r.principal_id = private.current_principal_id()
     and r.key = p_key;
  if v_found.fingerprint <> sha256(convert_to(p_request::text, 'UTF8')) then
    perform private.refuse(409, 'idempotency_key_reused', 'The Idempotency-Key was used for another request');
  end if;
  return v_found.answer;
end;
$$;
comment on function private.find_event_answer(uuid, text, jsonb) is 'What the caller was answered under the key; null: nothing yet. Raises idempotency_key_reused.';

create function private.prepare_custom_event(
  p_tenant uuid, p_type text, p_key text, p_request jsonb
) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_answer jsonb;
  v_type public.custom_event_types;
begin
  v_answer := private.find_event_answer(p_tenant, p_key, p_request);
  if v_answer is not null then
    return jsonb_build_object('answer', v_answer);
  end if;
  select * into v_type from public.custom_event_types t
   where t.tenant_id = p_tenant and t.name = p_type;
  return case when found then
    jsonb_build_object('version', v_type.version, 'schema', v_type.schema) end;
end;
$$;
comment on function private.prepare_custom_event(uuid, text, text, jsonb) is 'begin_custom_event, once the right was asked for.';

create function private.begin_custom_event(
  p_tenant uuid, p_type text, p_key text, p_request jsonb
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(p_tenant, 'events.write');
  return private.prepare_custom_event(p_tenant, p_type, p_key, p_request);
end;
$$;
comment on function private.begin_custom_event(uuid, text, text, jsonb) is
  '{answer} when the caller was answered under this key before, else {version, schema} to validate by; null when the tenant has no such type. Raises not_allowed, idempotency_key_reused. Definer: the table is private, and who records need not read types; checks events.write itself.';

create function private.write_custom_event(
  p_tenant uuid, p_type text, p_version integer, p_targets jsonb, p_data jsonb,
  p_occurred_at timestamptz, p_key text, p_request jsonb,
  p_actor jsonb default null, p_context jsonb default null
) returns jsonb
language plpgsql volatile set search_path = ''
as $$
declare
  v_caller constant jsonb := private.current_actor();
  v_context jsonb := private.current_context();
  v_split record;
  v_persons private.custom_event_persons[];
  v_acting uuid; -- the actor, when it is a person of ours
  v_erased uuid[];
  v_id uuid;
  v_recorded_at timestamptz;
  v_answer jsonb;
begin
  if p_type not like 'custom.%' then
    perform private.refuse(422, 'event_type_unknown', 'Types of one''s own begin with custom.');
  elsif p_occurred_at not between now() - interval '30 days' and now() + interval '5 minutes' then
    perform private.refuse(422, 'occurred_at_refused', 'occurredAt lies within the last 30 days');
  end if;
  if p_key is not null then
    -- One that comes at the same time waits here for the other to commit.
    insert into private.event_requests (tenant_id, principal_id, key, fingerprint)
    values (p_tenant, private.current_principal_id(), p_key,
      sha256(convert_to(p_request::text, 'UTF8')))
    on conflict do nothing;
    if not found then
      return private.find_event_answer(p_tenant, p_key, p_request)
        || '{"replayed": true}';
    end if;
  end if;
  select * into v_split from private.split_custom_event(
    case when p_actor is null then v_caller else private.custom_event_actor(p_tenant, p_actor) end,
    p_actor -> 'name', p_targets);
  if v_split.actor ->> 'kind' = 'user' then
    v_acting := private.as_uuid(v_split.actor ->> 'id');
  end if;
  -- Where our request came from says nothing of who acted elsewhere.
  if p_actor is not null then
    v_context := v_context - 'auth_method';
  end if;
  if p_actor is not null or p_context is not null then
    v_context := (v_context - array['address', 'user_agent'])
      || jsonb_strip_nulls(jsonb_build_object(
        'address', p_context -> 'address', 'user_agent', p_context -> 'user_agent'));
  end if;
  select array_agg(row(p_tenant, null, null, 'target', o.path, o.user_id)
      ::private.custom_event_persons)
    into v_persons
    from private.custom_event_persons_of(v_split.actor, v_split.targets, v_split.personal) o;
  -- Locked: an erasure that is under way is waited for, one that comes finds what is written here.
  perform from public.users u
    where u.id in (select o.user_id from unnest(v_persons) o) order by u.id for share;
  v_erased := array(
    select u.id from public.users u
     where u.erased_at is not null
       and (u.id = v_acting or u.id in (select o.user_id from unnest(v_persons) o)));
  if v_acting = any (v_erased) then
    v_context := v_context - array['address', 'user_agent'];
  end if;
  if v_erased <> '{}' then
    v_split.personal := null;
    v_persons := null;
  end if;
  v_id := private.record_event(p_tenant, p_type, v_split.targets, p_data,
    p_actor => v_split.actor, p_occurred_at => p_occurred_at,
    p_context => v_context || jsonb_build_object('recorded_by', v_caller),
    p_personal => v_split.personal, p_version => p_version);
  select e.recorded_at, jsonb_build_object('id', e.id, 'type', e.type, 'version', e.version,
      'recordedAt', e.recorded_at)
    into v_recorded_at, v_answer
    from public.audit_events e
   where e.xid = pg_current_xact_id() and e.id = v_id;
  insert into private.custom_event_persons
    (tenant_id, event_recorded_at, event_id, path, user_id)
  select p_tenant, v_recorded_at, v_id, o.path, o.user_id from unnest(v_persons) o;
  update private.event_requests r set answer = v_answer
   where r.tenant_id = p_tenant and r.principal_id = private.current_principal_id()
     and r.key = p_key;
  return v_answer;
end;
$$;
comment on function private.write_custom_event(
  uuid, text, integer, jsonb, jsonb, timestamptz, text, jsonb, jsonb, jsonb
) is 'record_custom_event, once the right was asked for.';

create function private.record_custom_event(
  p_tenant uuid, p_type text, p_version integer, p_targets jsonb, p_data jsonb,
  p_occurred_at timestamptz, p_key text, p_request jsonb,
  p_actor jsonb default null, p_context jsonb default null
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(p_tenant, 'events.write');
  return private.write_custom_event(
    p_tenant, p_type, p_version, p_targets, p_data, p_occurred_at, p_key, p_request,
    p_actor, p_context);
end;
$$;
comment on function private.record_custom_event(
  uuid, text, integer, jsonb, jsonb, timestamptz, text, jsonb, jsonb, jsonb
) is
  'Records an event whose data functions/events has validated against that version. p_targets: [{kind, id, name?, metadata?}]; p_actor: {kind, id, name?}, the caller when null; p_context: {address?, user_agent?} of the actor. '
  'Names, metadata and where it came from stand beside the event; who called stands in context.recorded_by. Returns {id, type, version, recordedAt}, with replayed: true when it was recorded before under the key. '
  'Raises not_allowed, event_type_unknown, event_actor_refused, occurred_at_refused, idempotency_key_reused. Definer: callers cannot write events; checks events.write itself.';

create function private.forget_event_requests(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_count integer;
begin
  delete from private.event_requests r
   where r.ctid = any (array(
     select o.ctid from private.event_requests o
      where o.created_at < now() - interval '1 day' limit p_limit));
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.forget_event_requests(integer) is 'Forgets Idempotency-Keys older than a day, at most so many; returns how many. Definer: the table is private.';
