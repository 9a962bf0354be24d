-- providers: where a tenant's people may sign in besides a password. The row is what is wanted; functions/provision/steps/provider.ts makes it so in ZITADEL.
-- Next: 35_provider_secrets.sql (where a secret waits), 45_provider_provisioning.sql (the saga's side, the sign-in page's), policies/40_apps.sql (who may).
create table public.providers (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  name text not null constraint provider_name_malformed
    check (length(name) between 1 and 200 and name = btrim(name) and name !~ '[[:cntrl:]]'),
  kind text not null
    check (kind in ('ldap', 'saml', 'oidc', 'google', 'github', 'microsoft')),
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  linking_allowed boolean not null default true,
  creation_allowed boolean not null default false,
  auto_creation boolean not null default false,
  auto_update boolean not null default false,
  auto_linking text not null default 'none' check (auto_linking in ('none', 'username', 'email')),
  domains text[] not null default '{}'
    constraint provider_domains_too_many check (cardinality(domains) <= 100),
  enabled boolean not null default false,
  state text not null default 'pending' check (state in ('pending', 'active', 'error')),
  last_error jsonb,
  idp_id text unique, -- in the world: ZITADEL's ids are
  credential_set_at timestamptz,
  endpoints text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint provider_name_taken unique (tenant_id, name),
  constraint provider_creation_contradicts check (creation_allowed or not auto_creation)
);
comment on table public.providers is 'A sign-in provider of one tenant. Holds no secret: those pass through to ZITADEL.';
comment on column public.providers.kind is 'Cannot be changed: accounts are linked by it.';
comment on column public.providers.settings is
  'google {clientId, scopes} · github {clientId, scopes, baseUrl of an Enterprise Server} · microsoft {clientId, scopes, tenant, emailVerified} · oidc {issuer, clientId, scopes, idTokenMapping, pkce} · '
  'saml {metadataXml, binding, signedRequests, nameIdFormat} · ldap {servers, startTls, baseDn, bindDn, userBase, userObjectClasses, userFilters, timeoutSeconds, attributes, ca}. Complete once enabled.';
comment on column public.providers.linking_allowed is 'Whoever is known may link an account there to theirs.';
comment on column public.providers.creation_allowed is 'Whoever is not known may make an account, by a form.';
comment on column public.providers.auto_creation is 'Whoever is not known gets an account at once.';
comment on column public.providers.auto_update is 'The profile follows what the provider says at each sign-in.';
comment on column public.providers.auto_linking is 'Whom an account there is linked to without asking: by user name, or by an e-mail address that the provider vouches for or that lies in domains.';
comment on column public.providers.domains is 'E-mail domains whose people are sent there, and for which the provider''s word about an address counts; each one proven by the tenant.';
comment on column public.providers.state is 'What ZITADEL confirmed; written by provisioning only. A provider signs people in when active and enabled. A draft, never enabled, stays pending.';
comment on column public.providers.last_error is '{slug, detail, at} of the latest failure; null once ZITADEL has it.';
comment on column public.providers.credential_set_at is 'When its secret was last given; null: never. Written by the provision function.';
comment on column public.providers.endpoints is 'Origins that an OIDC server''s discovery named besides its issuer, when the connection was last tested.';

create function private.tg_providers__check() returns trigger
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_problem text := private.provider_settings_problem(new.kind, new.settings, new.enabled);
  v_name text;
begin
  if v_problem is not null then
    perform private.refuse(422, 'provider_settings_refused', v_problem);
  end if;
  -- A proof may be taken back later: then the domain counts no more (private.sign_in_providers), and nothing else is held up.
  if new.domains <> '{}' and (tg_op = 'INSERT' or new.domains is distinct from old.domains) then
    select d into v_name from unnest(new.domains) d
     where not exists (
       select from public.tenant_domains t
        where t.tenant_id = new.tenant_id and t.name = d and t.verified_at is not null)
     limit 1;
    if found then
      perform private.refuse(422, 'provider_domain_unproven', format('The tenant has not proven that "%s" is its own', v_name));
    end if;
  end if;
  if new.enabled then
    v_name := private.host_outside(new.kind, new.settings, new.endpoints);
    if v_name is not null then
      perform private.refuse(422, 'provider_host_outside', format('This installation is offline, and "%s" lies outside its networks', v_name));
    end if;
  end if;
  return new;
end;
$$;
comment on function private.tg_providers__check() is
  'Raises provider_settings_refused, provider_domain_unproven, provider_host_outside. Definer: settings of the instance and domains are not every caller''s to read.';

-- Offline is a setting: {"networks": ["10.0.0.0/8"], "domains": ["corp.example"]}; null: the world may be reached.
create function private.host_inside(p_host text, p_inside jsonb) returns boolean
language sql immutable parallel safe set search_path = ''
as $$
  select case when pg_input_is_valid(p_host, 'inet') then exists (
      select from jsonb_array_elements_text(coalesce(p_inside -> 'networks', '[]')) n
       where pg_input_is_valid(n, 'cidr') and p_host::inet <<= n::cidr)
    else exists (
      select from jsonb_array_elements_text(coalesce(p_inside -> 'domains', '[]')) d
       where p_host = d or right(p_host, length(d) + 1) = '.' || d) end
$$;
comment on function private.host_inside(text, jsonb) is 'Whether an address lies in one of the networks, or a name in one of the domains, of {networks, domains}.';

create function private.host_outside(p_kind text, p_settings jsonb, p_endpoints text[]) returns text
language sql stable security definer set search_path = ''
as $$
  select h.host
    from (select private.get_setting('network.offline') as inside) s
    join private.provider_hosts(p_kind, p_settings, p_endpoints) h
      on not private.host_inside(h.host, s.inside)
   where s.inside <> 'null'
   order by h.host limit 1
$$;
comment on function private.host_outside(text, jsonb, text[]) is 'A host of the provider that an offline installation does not reach; null: none, or it is not offline. Definer: settings are platform staff''s to read.';

create trigger _100_check
  before insert or update of settings, domains, enabled, endpoints on public.providers
  for each row execute function private.tg_providers__check();
create trigger _110_touch before update on public.providers
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.providers
  for each row execute function
    private.tg_record_change('provider', 'state,last_error,idp_id,endpoints');
alter table public.providers enable always trigger _500_record;

create function private.tg_providers__record_state() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.record_event(new.tenant_id, 'provider.activated',
    jsonb_build_array(jsonb_build_object('kind', 'provider', 'id', new.id)),
    jsonb_build_object('idp_id', new.idp_id));
  return null;
end;
$$;
comment on function private.tg_providers__record_state() is 'provider.activated. Definer: callers cannot write events.';
create trigger _510_record_state after update of state on public.providers
  for each row when (new.state = 'active' and old.state is distinct from 'active')
  execute function private.tg_providers__record_state();
alter table public.providers enable always trigger _510_record_state;

-- What ZITADEL still has of a provider that was removed: until the saga has removed it there too.
create table private.removed_providers (
  tenant_id uuid not null references public.tenants on delete cascade,
  provider_id uuid not null,
  idp_id text,
  name text not null,
  primary key (tenant_id, provider_id)
);
comment on table private.removed_providers is 'Providers that are to be removed at ZITADEL; without idp_id by name, since the saga may have been cut off before it knew.';

create function private.tg_providers__reprovision() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_tenant uuid := coalesce(new.tenant_id, old.tenant_id);
begin
  if tg_op = 'DELETE' then
    if not exists (select from public.tenants where id = v_tenant) then return null; end if;
    insert into private.removed_providers (tenant_id, provider_id, idp_id, name)
    values (v_tenant, old.id, old.idp_id, old.name);
  elsif not new.enabled and new.idp_id is null then
    return null; -- a draft: ZITADEL has nothing of it, and is to have nothing
  end if;
  update public.provisioning_steps set state = 'pending', updated_at = clock_timestamp()
   where tenant_id = v_tenant and name = 'provider' and state <> 'pending';
  perform private.enqueue_reconcile(v_tenant);
  return null;
end;
$$;
comment on function private.tg_providers__reprovision() is 'What ZITADEL must learn of a new, changed or removed provider. Definer: the queue is its owner''s.';
create trigger _900_reprovision
  after insert or delete or update of name, settings, linking_allowed, creation_allowed,
    auto_creation, auto_update, auto_linking, enabled, credential_set_at
  on public.providers
  for each row execute function private.tg_providers__reprovision();
alter table public.providers enable always trigger _900_reprovision;
