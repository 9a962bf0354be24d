-- How a change gets on record. Every governed table has a trigger _500_record that calls private.tg_record_change; the row lands in
-- public.audit_events (30_audit/10_audit_events.sql) in the same transaction, and there _900_deliver notes the webhook deliveries.

create function private.redacted(p_row jsonb, p_ignored text[]) returns jsonb
language plpgsql immutable set search_path = ''
as $$
declare
  v_secret constant text := '(secret|password|ciphertext|token_hash)';
  v_row jsonb := p_row - p_ignored;
  v_key text;
begin
  if v_row::text !~ v_secret then
    return v_row; -- a glance at the whole is a tenth of a look at each name
  end if;
  for v_key in select jsonb_object_keys(v_row) loop
    if v_key ~ v_secret and v_row -> v_key <> 'null' then
      v_row := jsonb_set(v_row, array[v_key], '"[redacted]"');
    end if;
  end loop;
  return v_row;
end;
$$;
comment on function private.redacted(p_row jsonb, p_ignored text[]) is 'The governed columns of a row, secrets redacted by name, ignored columns left out.';

create function private.split_personal(
  p_data jsonb, p_columns text[], out data jsonb, out personal jsonb
)
language plpgsql immutable set search_path = ''
as $$
declare
  v_side text;
  v_column text;
begin
  data := p_data;
  for v_side in select jsonb_object_keys(p_data) loop
    foreach v_column in array p_columns loop
      if p_data -> v_side -> v_column <> 'null' then
        personal := coalesce(personal, '{}') || jsonb_build_object(
          concat_ws('.', 'data', v_side, v_column), p_data -> v_side -> v_column);
        data := jsonb_set(data, array[v_side, v_column], 'null');
      end if;
    end loop;
  end loop;
end;
$$;
comment on function private.split_personal(jsonb, text[]) is
  'Takes the values of personal columns out of {before, after}: null stays in their place, they come as {data.<side>.<column>: value}; null when there is none.';

create function private.keep_personal(
  p_tenant uuid, p_recorded_at timestamptz, p_event uuid, p_slot text, p_person uuid, p_value jsonb
) returns text
language plpgsql volatile set search_path = ''
as $$
declare
  -- 366 random bits of three version 4 UUIDs, hashed to 32 bytes: no extension needed.
  v_salt bytea := sha256(
    uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
begin
  insert into private.audit_personal
    (tenant_id, event_recorded_at, event_id, slot, user_id, salt, value)
  values (p_tenant, p_recorded_at, p_event, p_slot, p_person, v_salt, p_value);
  return encode(sha256(v_salt || convert_to(p_value::text, 'UTF8')), 'hex');
end;
$$;
comment on function private.keep_personal(uuid, timestamptz, uuid, text, uuid, jsonb) is
  'Puts personal values beside an event; returns the commitment that stands in it, SHA-256(salt ‖ value as text) in hex. Called by record_event only.';

create function private.record_event(
  p_tenant uuid, p_type text, p_targets jsonb, p_data jsonb,
  p_actor jsonb default null, p_occurred_at timestamptz default null, p_context jsonb default null,
  p_personal jsonb default null, p_person uuid default null, p_version integer default 1
) returns uuid
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_id uuid := private.uuid_v7();
  v_xid xid8 := pg_current_xact_id(); -- before the time: strict order counts on it (50_webhooks/42_claim.sql)
  v_recorded_at timestamptz := clock_timestamp();
  v_actor jsonb := coalesce(p_actor, private.current_actor());
  v_context jsonb := coalesce(p_context, private.current_context());
  v_commitments jsonb;
begin
  if v_context ?| array['address', 'user_agent'] then
    v_commitments := jsonb_build_object('actor', private.keep_personal(
      p_tenant, v_recorded_at, v_id, 'actor',
      case when v_actor ->> 'kind' = 'user' then private.as_uuid(v_actor ->> 'id') end,
      jsonb_strip_nulls(jsonb_build_object('context.address', v_context -> 'address',
        'context.user_agent', v_context -> 'user_agent'))));
    v_context := v_context || '{"address": null, "user_agent": null}';
  end if;
  if p_personal is not null then
    v_commitments := coalesce(v_commitments, '{}') || jsonb_build_object('target',
      private.keep_personal(p_tenant, v_recorded_at, v_id, 'target', p_person, p_personal));
  end if;
  insert into public.audit_events
    (tenant_id, recorded_at, id, type, version, occurred_at, actor, targets, data, context,
      personal, xid)
  values (
    p_tenant, v_recorded_at, v_id, p_type, p_version, coalesce(p_occurred_at, v_recorded_at),
    v_actor, p_targets, p_data, v_context, v_commitments, v_xid
  );
  return v_id;
end;
$$;
comment on function private.record_event(
  uuid, text, jsonb, jsonb, jsonb, timestamptz, jsonb, jsonb, uuid, integer
) is
  'Writes one event to the log; returns its id. Actor, time and context default to those of the request. p_personal {path: value} and the context''s address and user agent '
  'go to private.audit_personal; null stands in their place. p_person: users.id of whom p_personal is about. Definer: callers cannot write events.';

create function private.tg_record_change() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_kind text := tg_argv[0];
  v_ignored text[] := string_to_array(coalesce(tg_argv[1], ''), ',') || array['updated_at'];
  v_old jsonb;
  v_new jsonb;
  v_row jsonb;
  v_changed text[];
  v_tenant uuid;
  v_data jsonb;
  v_personal jsonb;
  v_event uuid;
begin
  if tg_op <> 'INSERT' then v_old := private.redacted(to_jsonb(old), v_ignored); end if;
  if tg_op <> 'DELETE' then v_new := private.redacted(to_jsonb(new), v_ignored); end if;
  v_row := coalesce(v_new, v_old);
  if tg_op = 'UPDATE' then
    select array_agg(n.key) into v_changed
      from jsonb_each(to_jsonb(new)) n
      join jsonb_each(to_jsonb(old)) o using (key)
     where n.value is distinct from o.value and n.key <> all (v_ignored);
    if v_changed is null then return null; end if;
    v_data := jsonb_build_object(
      'before', (
        select jsonb_object_agg(key, value) from jsonb_each(v_old) where key = any (v_changed)),
      'after', (
        select jsonb_object_agg(key, value) from jsonb_each(v_new) where key = any (v_changed))
    );
  elsif tg_op = 'INSERT' then
    v_data := jsonb_build_object('after', v_new);
  else
    v_data := jsonb_build_object('before', v_old);
  end if;
  v_tenant := coalesce(
    case when v_kind = 'tenant' then v_row ->> 'id'
         when v_kind = 'user' then v_row ->> 'home_tenant_id'
         else v_row ->> 'tenant_id' end,
    private.platform_tenant()::text
  )::uuid;
  if tg_nargs > 2 then
    select s.data, s.personal into v_data, v_personal
      from private.split_personal(v_data, string_to_array(tg_argv[2], ',')) s;
  end if;
  v_event := private.record_event( -- as a statement of its own, by perform, it takes half as long again
    v_tenant,
    v_kind || case tg_op
      when 'INSERT' then '.created' when 'UPDATE' then '.updated' else '.deleted' end,
    jsonb_build_array(jsonb_build_object(
      'kind', v_kind, 'id', coalesce(v_row ->> 'id', v_row ->> 'key', v_row ->> 'name'))),
    v_data,
    p_personal => v_personal,
    p_person => case when v_kind = 'user' then (v_row ->> 'id')::uuid end
  );
  return null; -- an after trigger's value is ignored
end;
$$;
comment on function private.tg_record_change() is
  'Records <kind>.created, .updated or .deleted with the governed columns before and after. Arguments: the kind; columns to ignore; columns of personal values; each joined by commas. '
  'An update that changes none of them records nothing. Definer: callers cannot write events.';
