-- settings: what is set for the whole instance.
create table public.settings (
  key text primary key check (key ~ '^[a-z_]+(\.[a-z_]+)*$'),
  value jsonb not null,
  updated_at timestamptz not null default now(),
  -- 31 at least: a new webhook endpoint may ask for 30 days back
  constraint setting_retention_malformed check (
    case when key = 'audit.retention_days' and value <> 'null' then
      case when value::text ~ '^[1-9]\d{1,4}$' then value::integer >= 31 else false end
    else true end),
  constraint setting_offline_malformed check (
    case when key <> 'network.offline' or value = 'null' then true
      when jsonb_typeof(value) <> 'object' then false
      else value - array['networks', 'domains'] = '{}'
        and jsonb_typeof(value -> 'networks') is not distinct from 'array'
        and jsonb_typeof(value -> 'domains') is not distinct from 'array' end)
);
comment on table public.settings is 'Settings of the instance; no secret stands here.';
create trigger _100_touch before update on public.settings
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.settings
  for each row execute function private.tg_record_change('setting');
alter table public.settings enable always trigger _500_record;

create function private.get_setting(p_key text) returns jsonb
language sql stable security definer set search_path = ''
as $$ select value from public.settings where key = p_key $$;
comment on function private.get_setting(text) is 'The value of a setting; null when it is not set. Definer: settings are platform staff''s to read.';

create function private.put_setting(p_key text, p_value jsonb) returns void
language sql volatile security definer set search_path = ''
as $$
  insert into public.settings as s (key, value) values (p_key, p_value)
  on conflict (key) do update set value = excluded.value where s.value <> excluded.value
$$;
comment on function private.put_setting(text, jsonb) is 'Sets a setting; nothing is written when nothing differs. Definer: settings are platform staff''s to write.';

create function private.public_config() returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_object_agg(key, value), '{}')
    from public.settings
   where key in ('auth.mode', 'zitadel.portal_client_id', 'zitadel.project_id')
$$;
comment on function private.public_config() is 'The settings that anybody may know before signing in, as {key: value}. Definer: settings are platform staff''s to read.';

create table private.sealed_settings (
  key text primary key,
  key_id text not null,
  ciphertext bytea not null,
  updated_at timestamptz not null default now()
);
comment on table private.sealed_settings is 'Secrets of the instance, AES-256-GCM by functions/_shared/secrets.ts; the key is not in the database. Additional data: sealed_settings||<key>.';

create function private.get_sealed_setting(p_key text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object('keyId', key_id,
      'ciphertext', translate(encode(ciphertext, 'base64'), E'\n', ''))
    from private.sealed_settings where key = p_key
$$;
comment on function private.get_sealed_setting(text) is '{keyId, ciphertext (base64)} of a secret of the instance; null when it is not set. Definer: the table is private.';

create function private.put_sealed_setting(
  p_key text, p_key_id text, p_ciphertext bytea
) returns void
language sql volatile security definer set search_path = ''
as $$
  insert into private.sealed_settings (key, key_id, ciphertext)
  values (p_key, p_key_id, p_ciphertext)
  on conflict (key) do update
    set key_id = excluded.key_id, ciphertext = excluded.ciphertext, updated_at = clock_timestamp()
$$;
comment on function private.put_sealed_setting(text, text, bytea) is 'Keeps a sealed secret of the instance. Definer: the table is private.';
