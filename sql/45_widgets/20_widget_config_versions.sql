-- widget_config_versions: what was published, as it is served. The highest number is what people see; a row never changes.
-- Written by rpc/publish_widget_config and rpc/revert_widget_config, each on record as widget_config.published.
create table public.widget_config_versions (
  tenant_id uuid not null,
  config_id uuid not null,
  number integer not null check (number > 0),
  body text not null,
  hash text not null check (hash = encode(sha256(convert_to(body, 'UTF8')), 'hex')),
  logo_hash text,
  restores integer,
  published_by jsonb not null,
  published_at timestamptz not null default now(),
  primary key (tenant_id, config_id, number),
  foreign key (tenant_id, config_id)
    references public.widget_configs (tenant_id, id) on delete cascade,
  foreign key (tenant_id, logo_hash) references public.widget_logos (tenant_id, hash)
);
comment on table public.widget_config_versions is 'A published configuration of a tenant''s sign-in.';
comment on column public.widget_config_versions.body is
  'The JSON that GET /functions/v1/widget/config/<hash>.json serves, byte for byte: {look: {tokens, layout, logoUrl, texts}, flows, languages, termsUrl, privacyUrl}.';
comment on column public.widget_config_versions.hash is 'SHA-256 of the body in hex.';
comment on column public.widget_config_versions.restores is 'The version whose content this one brought back; null: the draft of then.';
comment on column public.widget_config_versions.published_by is 'The actor, as in the log: {kind, id}.';
create index widget_config_versions_hash_idx on public.widget_config_versions (hash); -- for who is not signed in yet
create index widget_config_versions_logo_hash_idx
  on public.widget_config_versions (tenant_id, logo_hash);

create function private.tg_widget_config_versions__keep() returns trigger
language plpgsql volatile set search_path = ''
as $$
begin
  perform private.refuse(409, 'widget_version_immutable', 'A published version is never changed: publish another');
  return null;
end;
$$;
comment on function private.tg_widget_config_versions__keep() is 'Raises widget_version_immutable, for the owner too.';
create trigger _100_keep before update on public.widget_config_versions
  for each row execute function private.tg_widget_config_versions__keep();

create function private.widget_document(p_config public.widget_configs) returns jsonb
language sql immutable set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
    'look', jsonb_build_object(
      'tokens', private.widget_tokens(p_config.theme),
      'layout', p_config.layout,
      'logoUrl', 'logo/' || p_config.logo_hash,
      'texts', p_config.texts),
    'flows', jsonb_build_object('password', true, 'passkey', true, 'email_code', false,
      'register', true, 'reset', true) || p_config.flows,
    'languages', to_jsonb(p_config.languages),
    'termsUrl', p_config.terms_url,
    'privacyUrl', p_config.privacy_url))
$$;
comment on function private.widget_document(public.widget_configs) is
  'What a draft publishes: Published of functions/widget/look.ts without its hash. logoUrl is relative to the widget function.';

create function private.widget_look(p_tenant uuid, p_app uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object('hash', v.hash, 'document', v.body::jsonb)
      from public.widget_configs c
      cross join lateral (
        select * from public.widget_config_versions v
         where v.tenant_id = c.tenant_id and v.config_id = c.id
         order by v.number desc limit 1) v
     where c.tenant_id = p_tenant and (c.app_id = p_app or c.app_id is null)
     order by c.app_id nulls last limit 1);
end;
$$;
comment on function private.widget_look(uuid, uuid) is
  'What is published for an application''s sign-in, its own or else its tenant''s: {hash, document}; null when nothing. Definer: nobody has signed in yet.';

create function private.widget_config_body(p_hash text) returns text
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select v.body from public.widget_config_versions v where v.hash = p_hash limit 1);
end;
$$;
comment on function private.widget_config_body(text) is 'A published configuration by its hash; null when there is none. Definer: it is served to everybody.';

create function private.widget_logo(p_hash text) returns table (type text, bytes bytea)
language plpgsql stable security definer set search_path = '' rows 1
as $$
begin
  return query select l.type, l.bytes from public.widget_logos l where l.hash = p_hash limit 1;
end;
$$;
comment on function private.widget_logo(text) is 'A logo by its hash, a draft''s too: who knows the hash has seen it. Definer: it is served to everybody.';
