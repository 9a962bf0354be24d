-- What private.tg_record_change writes, as JSON Schema: read from the catalog of tables, so that no schema says other than the trigger does.

create function private.column_schema(p_type oid, p_values text[], p_nullable boolean) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_type pg_catalog.pg_type;
  v_schema jsonb;
begin
  select * into v_type from pg_catalog.pg_type where oid = p_type;
  if v_type.typname = 'timestamptz' then
    v_schema := '{"type": "string", "format": "date-time"}';
    if p_values is not null then
      v_schema := '{"type": "string", "anyOf": [{"format": "date-time"}, {"const": "-infinity"}]}';
    end if;
  elsif p_values is not null then
    v_schema := jsonb_build_object('type', 'string', 'enum', to_jsonb(p_values));
  elsif v_type.typcategory = 'A' then
    v_schema := jsonb_build_object('type', 'array', 'items',
      private.column_schema(v_type.typelem, null, false));
  else
    v_schema := case v_type.typname
      when 'jsonb' then '{}' when 'bool' then '{"type": "boolean"}'
      when 'int2' then '{"type": "integer"}' when 'int4' then '{"type": "integer"}'
      when 'int8' then '{"type": "integer"}' when 'numeric' then '{"type": "number"}'
      when 'float8' then '{"type": "number"}'
      when 'uuid' then '{"type": "string", "format": "uuid"}'
      when 'date' then '{"type": "string", "format": "date"}'
      else '{"type": "string"}' end;
  end if;
  if p_nullable and v_schema <> '{}' then
    v_schema := v_schema
      || jsonb_build_object('type', jsonb_build_array(v_schema -> 'type', 'null'::text));
    if v_schema ? 'enum' then
      v_schema := jsonb_set(v_schema, '{enum}', (v_schema -> 'enum') || 'null');
    end if;
  end if;
  return v_schema;
end;
$$;
comment on function private.column_schema(oid, text[], boolean) is 'How to_jsonb writes a value of the type: {} for jsonb, which may be anything. p_values: all that a check lets in; of a moment, what it may be besides.';

create function private.governed_kinds() returns table (kind text, relation oid, args text[])
language sql stable set search_path = ''
as $$
  select x.args[1], x.tgrelid, x.args
    from (
      select t.tgrelid, string_to_array(encode(t.tgargs, 'escape'), '\000') as args
        from pg_catalog.pg_trigger t
       where t.tgfoid = 'private.tg_record_change'::regproc and t.tgparentid = 0) x
$$;
comment on function private.governed_kinds() is 'The tables whose changes tg_record_change records, and its arguments there.';

create function private.governed_columns(p_kind text) returns table (
  name text, type oid, place integer, nullable boolean, is_key boolean, personal boolean,
  secret boolean, allowed_values text[], description text
)
language sql stable set search_path = ''
as $$
  select a.attname::text, a.atttypid, a.attnum::integer,
         not a.attnotnull or a.attname = any (string_to_array(coalesce(g.args[3], ''), ',')),
         exists (select from pg_catalog.pg_index i
           where i.indrelid = a.attrelid and i.indisprimary and a.attnum = any (i.indkey)),
         a.attname = any (string_to_array(coalesce(g.args[3], ''), ',')),
         a.attname ~ '(secret|password|ciphertext|token_hash)',
         case when exists (
           select from pg_catalog.pg_attrdef d
            where d.adrelid = a.attrelid and d.adnum = a.attnum
              and pg_get_expr(d.adbin, d.adrelid) like '%-infinity%') then array['-infinity']
         else (select array_agg(m[1] order by n)
            from pg_catalog.pg_constraint c,
              regexp_matches(pg_get_constraintdef(c.oid), '''([^'']*)''::text', 'g')
                with ordinality as x (m, n)
           where c.conrelid = a.attrelid and c.contype = 'c' and c.conkey = array[a.attnum]
             and pg_get_constraintdef(c.oid) ~ '^CHECK \(\(\w+ = ANY \(ARRAY\[') end,
         col_description(a.attrelid, a.attnum)
    from private.governed_kinds() g
    join pg_catalog.pg_attribute a on a.attrelid = g.relation and a.attnum > 0
   where g.kind = p_kind and not a.attisdropped
     and a.attname <> all (string_to_array(coalesce(g.args[2], ''), ',') || array['updated_at'])
$$;
comment on function private.governed_columns(text) is
  'The columns that tg_record_change records for a kind: the arguments of the table''s _500_record decide. Personal ones are null once erased.';

create function private.change_schema(p_type text) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_verb text := split_part(p_type, '.', 2);
  v_row jsonb;
begin
  select jsonb_build_object('type', 'object', 'additionalProperties', false,
      'properties', jsonb_object_agg(c.name, jsonb_strip_nulls(jsonb_build_object(
        'description', c.description)) || case when c.secret then
          jsonb_build_object('enum', '["[redacted]", null]'::jsonb)
        else private.column_schema(c.type, c.allowed_values, c.nullable) end))
    || case v_verb when 'updated' then '{"minProperties": 1}'::jsonb
      else jsonb_build_object('required', jsonb_agg(c.name order by c.place)) end
    into v_row
    from private.governed_columns(split_part(p_type, '.', 1)) c
  having count(*) > 0;
  if v_row is null or v_verb not in ('created', 'updated', 'deleted') then
    return null;
  end if;
  return jsonb_build_object(
    '$schema', 'https://json-schema.org/draft/2020-12/schema',
    'type', 'object', 'additionalProperties', false,
    '$defs', jsonb_build_object('columns', v_row),
    'properties', case v_verb when 'created' then '{"after": {"$ref": "#/$defs/columns"}}'::jsonb
      when 'deleted' then '{"before": {"$ref": "#/$defs/columns"}}'
      else '{"before": {"$ref": "#/$defs/columns"}, "after": {"$ref": "#/$defs/columns"}}' end,
    'required', case v_verb when 'created' then '["after"]'::jsonb
      when 'updated' then '["before", "after"]' else '["before"]' end);
end;
$$;
comment on function private.change_schema(text) is 'The schema of `data` of <kind>.created, .updated or .deleted; null when the kind is not governed.';

create function private.change_example(p_type text) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_known jsonb :=
    '{"name": "Acme", "slug": "acme", "key": "auth.mode", "plan": "standard", "branding": {}, '
    '"issuer": "https://id.acme.example", "subject": "331122334455667788", "email": "nina@acme.example", '
    '"login_name": "nina@acme.example", "display_name": "Nina New", "given_name": "Nina", "family_name": "New", '
    '"preferred_language": "en", "description": "What it is for", "role_key": "tenant_admin", '
    '"url": "https://receiver.acme.example/hooks", "event_types": ["user.*"], "schema": {"type": "object"}, '
    '"redirect_uris": ["https://shop.acme.example/callback"], "post_logout_uris": ["https://shop.acme.example/"]}';
  v_row jsonb;
  v_changed text;
  v_before jsonb;
begin
  select jsonb_object_agg(c.name, coalesce(
      case when c.secret then to_jsonb('[redacted]'::text) end,
      to_jsonb(c.allowed_values[1]), v_known -> c.name,
      case when c.nullable then 'null'::jsonb end,
      case t.typname when 'bool' then 'true' when 'jsonb' then '{}'
        when 'uuid' then '"01990000-0000-7000-8000-000000000001"'
        when 'timestamptz' then '"2026-11-22T10:00:00+00:00"'
        else case when t.typcategory = 'N' then '1' when t.typcategory = 'A' then '[]'
          else '"text"' end end::jsonb))
    into v_row
    from private.governed_columns(split_part(p_type, '.', 1)) c
    join pg_catalog.pg_type t on t.oid = c.type;
  if split_part(p_type, '.', 2) = 'created' then
    return jsonb_build_object('after', v_row);
  elsif split_part(p_type, '.', 2) = 'deleted' then
    return jsonb_build_object('before', v_row);
  end if;
  -- What most likely changes: a switch, a state, a text.
  select c.name, coalesce(case t.typname when 'bool' then 'false'::jsonb end,
      to_jsonb(c.allowed_values[2]), case when c.nullable then 'null'::jsonb end,
      case t.typname when 'text' then '"Before"'::jsonb end, v_row -> c.name)
    into v_changed, v_before
    from private.governed_columns(split_part(p_type, '.', 1)) c
    join pg_catalog.pg_type t on t.oid = c.type
   order by c.is_key, c.name = 'tenant_id', c.personal,
         coalesce(array_position(array['enabled', 'state', 'verified_at', 'name'], c.name), 9),
         c.place
   limit 1;
  return jsonb_build_object('before', jsonb_build_object(v_changed, v_before),
    'after', jsonb_build_object(v_changed, v_row -> v_changed));
end;
$$;
comment on function private.change_example(text) is 'A `data` that the change''s schema takes.';

create function private.refresh_event_types() returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  v_changed integer;
begin
  update public.event_types t
     set schema = c.schema, example = private.change_example(t.name)
    from (select name, private.change_schema(name) as schema from public.event_types) c
   where c.name = t.name and c.schema is not null and c.schema <> t.schema;
  get diagnostics v_changed = row_count;
  return v_changed;
end;
$$;
comment on function private.refresh_event_types() is 'To be called by a migration that changes a governed table; returns how many schemas changed. A test finds where it was forgotten.';
