-- Another secrets key: what was sealed under a former one is sealed anew, row by row, by scripts/secrets_rotate.ts, which holds the keys.
-- Every table with sealed rows stands here; a rule (scripts/db/lint_rules.ts) names one that was forgotten.
create function private.sealed_tables() returns table (name text, tenant text, id text)
language sql immutable set search_path = ''
as $$
  values ('sealed_settings', '''''', 't.key'),
         ('audit_sink_secrets', 't.tenant_id::text', 't.sink_id::text'),
         ('provider_secrets', 't.tenant_id::text', 't.provider_id::text'),
         ('webhook_headers', 't.tenant_id::text', 't.endpoint_id::text'),
         ('webhook_secrets', 't.tenant_id::text', 't.endpoint_id::text')
$$;
comment on function private.sealed_tables() is
  'The tables t of private whose rows are sealed by functions/_shared/secrets.ts, and in SQL what their additional data <name>|<tenant>|<id> is made of.';

create function private.list_sealed(
  p_table text, p_key_id text, p_after bytea, p_limit integer
) returns table (tenant_id text, id text, key_id text, ciphertext bytea)
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_table record;
begin
  select * into strict v_table from private.sealed_tables() s where s.name = p_table;
  return query execute format($sql$
    select %s, %s, t.key_id, t.ciphertext from private.%I t
     where t.key_id <> $1 and t.ciphertext > $2 order by t.ciphertext limit $3 $sql$,
    v_table.tenant, v_table.id, v_table.name)
    using p_key_id, p_after, p_limit;
end;
$$;
comment on function private.list_sealed(text, text, bytea, integer) is
  'Rows of a sealed table that are not under this key, at most so many; in the order of the ciphertext, which every row has another of. Definer: secrets are private.';

create function private.replace_sealed(p_table text, p_rows jsonb) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_table record;
  v_count integer;
begin
  select * into strict v_table from private.sealed_tables() s where s.name = p_table;
  execute format($sql$
    update private.%I t set key_id = r."keyId", ciphertext = decode(r.ciphertext, 'base64')
      from jsonb_to_recordset($1)
        as r ("tenantId" text, id text, was text, "keyId" text, ciphertext text)
     where %s = r."tenantId" and %s = r.id and t.ciphertext = decode(r.was, 'base64') $sql$,
    v_table.name, v_table.tenant, v_table.id)
    using p_rows;
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;
comment on function private.replace_sealed(text, jsonb) is
  'Puts ciphertexts in the place of others: [{tenantId, id, was, keyId, ciphertext}], base64. A row that is not as it was is left alone; returns how many were replaced. Definer: secrets are private.';
