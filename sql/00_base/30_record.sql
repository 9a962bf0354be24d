-- How a change gets on record. Every governed table has a trigger _500_record that calls private.tg_record_change; the row lands in
-- public.audit_events (30_audit/10_audit_events.sql) in the same transaction, and there _900_deliver notes the webhook deliveries.

create function private.redacted(p_row jsonb, p_ignored text[]) returns jsonb
language plpgsql immutable set search_path = ''
as $$
declare
  v_row jsonb := p_row - p_ignored;
  v_key text;
begin
  for v_key in select jsonb_object_keys(v_row) loop
    if v_key ~ '(secret|password|ciphertext|token_hash)' and v_row -> v_key <> 'null' then
      v_row := jsonb_set(v_row, array[v_key], '"[redacted]"');
    end if;
  end loop;
  return v_row;
end;
$$;
comment on function private.redacted(p_row jsonb, p_ignored text[]) is 'The governed columns of a row, secrets redacted by name, ignored columns left out.';

create function private.record_event(
  p_tenant uuid, p_type text, p_targets jsonb, p_data jsonb,
  p_actor jsonb default null, p_occurred_at timestamptz default null, p_context jsonb default null
) returns uuid
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_id uuid := private.uuid_v7();
begin
  insert into public.audit_events
    (tenant_id, id, type, occurred_at, actor, targets, data, context)
  values (
    p_tenant, v_id, p_type, coalesce(p_occurred_at, clock_timestamp()),
    coalesce(p_actor, private.current_actor()), p_targets, p_data,
    coalesce(p_context, private.current_context())
  );
  return v_id;
end;
$$;
comment on function private.record_event(uuid, text, jsonb, jsonb, jsonb, timestamptz, jsonb) is
  'Writes one event to the log; returns its id. Actor, time and context default to those of the request. Definer: callers cannot write events.';

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
  perform private.record_event(
    v_tenant,
    v_kind || case tg_op
      when 'INSERT' then '.created' when 'UPDATE' then '.updated' else '.deleted' end,
    jsonb_build_array(jsonb_build_object(
      'kind', v_kind, 'id', coalesce(v_row ->> 'id', v_row ->> 'key', v_row ->> 'name'))),
    v_data
  );
  return null; -- an after trigger's value is ignored
end;
$$;
comment on function private.tg_record_change() is
  'Records <kind>.created, .updated or .deleted with the governed columns before and after. Arguments: the kind; columns to ignore, joined by commas. '
  'An update that changes none of them records nothing. Definer: callers cannot write events.';
