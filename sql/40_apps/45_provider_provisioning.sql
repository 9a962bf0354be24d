-- What the saga, the test of a connection and the sign-in page read and write of providers.

create function private.providers_input(p_tenant uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'providers', (
      select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'kind', p.kind,
        'settings', p.settings, 'enabled', p.enabled, 'state', p.state, 'idpId', p.idp_id,
        'credentialSetAt', p.credential_set_at,
        'outside', private.host_outside(p.kind, p.settings, p.endpoints),
        'options', private.provider_options(p)) order by p.id), '[]')
        from public.providers p
       where p.tenant_id = p_tenant and (p.enabled or p.idp_id is not null)
         and private.provider_settings_problem(p.kind, p.settings, true) is null),
    'removedProviders', (
      select coalesce(jsonb_agg(jsonb_build_object('id', r.provider_id, 'idpId', r.idp_id,
        'name', r.name) order by r.provider_id), '[]')
        from private.removed_providers r where r.tenant_id = p_tenant))
$$;
comment on function private.providers_input(uuid) is 'The saga''s part about providers: {providers[], removedProviders[]}; drafts are not in it.';

create function private.provider_options(p_provider public.providers) returns jsonb
language sql immutable set search_path = ''
as $$
  select jsonb_build_object('linkingAllowed', (p_provider).linking_allowed,
    'creationAllowed', (p_provider).creation_allowed, 'autoCreation', (p_provider).auto_creation,
    'autoUpdate', (p_provider).auto_update, 'autoLinking', (p_provider).auto_linking)
$$;
comment on function private.provider_options(public.providers) is 'LinkingOptions of functions/_shared/zitadel/types_intents.ts.';

create function private.settle_provider(
  p_tenant uuid, p_token bigint, p_provider uuid, p_state text, p_idp_id text, p_error jsonb,
  p_secret_set_at timestamptz
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_lease(p_tenant, p_token);
  update public.providers
     set state = p_state, last_error = p_error, idp_id = coalesce(p_idp_id, idp_id)
   where tenant_id = p_tenant and id = p_provider
     and (state, last_error, idp_id)
       is distinct from (p_state, p_error, coalesce(p_idp_id, idp_id));
  -- One that was given meanwhile waits for the next run.
  delete from private.provider_secrets
   where tenant_id = p_tenant and provider_id = p_provider and set_at = p_secret_set_at;
end;
$$;
comment on function private.settle_provider(uuid, bigint, uuid, text, text, jsonb, timestamptz) is
  'Writes what ZITADEL confirmed of a provider, and forgets the secret that it took. Raises lease_lost. Definer: callers never write these columns.';

create function private.forget_removed_provider(p_tenant uuid, p_token bigint, p_provider uuid)
returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_lease(p_tenant, p_token);
  delete from private.removed_providers where tenant_id = p_tenant and provider_id = p_provider;
end;
$$;
comment on function private.forget_removed_provider(uuid, bigint, uuid) is 'ZITADEL has nothing of a removed provider any more. Raises lease_lost. Definer: the table is private.';

create function private.open_provider(p_tenant uuid, p_provider uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_provider public.providers;
begin
  perform private.require_right(p_tenant, 'providers.write');
  select * into v_provider from public.providers where tenant_id = p_tenant and id = p_provider;
  if not found then
    perform private.refuse(404, 'provider_not_found', format('There is no provider %s in tenant %s', p_provider, p_tenant));
  end if;
  return jsonb_build_object('id', v_provider.id, 'kind', v_provider.kind,
    'settings', v_provider.settings, 'offline', private.get_setting('network.offline'),
    'outside', private.host_outside(v_provider.kind, v_provider.settings, v_provider.endpoints),
    'problem', private.provider_settings_problem(v_provider.kind, v_provider.settings, true),
    'secret', private.provider_secret(p_tenant, p_provider));
end;
$$;
comment on function private.open_provider(uuid, uuid) is
  '{id, kind, settings, offline, outside, problem, secret} for a test of the connection. Raises not_allowed, provider_not_found. Definer: secrets are private; checks providers.write itself.';

create function private.note_provider_endpoints(
  p_tenant uuid, p_provider uuid, p_endpoints text[]
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(p_tenant, 'providers.write');
  update public.providers set endpoints = p_endpoints
   where tenant_id = p_tenant and id = p_provider and kind = 'oidc'
     and endpoints is distinct from p_endpoints;
end;
$$;
comment on function private.note_provider_endpoints(uuid, uuid, text[]) is
  'Keeps which other origins an OIDC server''s discovery named, for the egress list. Raises not_allowed, provider_host_outside. Definer: callers never write the column; checks providers.write itself.';

create function private.sign_in_providers(p_tenant uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'idpId', p.idp_id, 'name', p.name,
      'kind', p.kind, 'options', private.provider_options(p),
      'trustedDomains', array(
        select d.name from public.tenant_domains d
         where d.tenant_id = p.tenant_id and d.verified_at is not null
           and d.name = any (p.domains) order by d.name),
      'postsTo', array(
        select h.scheme || '://' || h.host || coalesce(':' || h.port, '')
          from private.provider_hosts(p.kind, p.settings) h
         where p.kind = 'saml' and h.caller = 'browser' order by 1)) order by p.name, p.id), '[]')
    from public.providers p
    join public.tenants t on t.id = p.tenant_id
   where p.tenant_id = p_tenant and p.enabled and p.state = 'active' and p.idp_id is not null
     and t.status = 'active' and private.host_outside(p.kind, p.settings, p.endpoints) is null
$$;
comment on function private.sign_in_providers(uuid) is
  'What the sign-in page may offer: [{id, idpId, name, kind, options, trustedDomains, postsTo}]. postsTo: where a browser posts a form (SAML). trustedDomains are proven and the provider''s: people of these domains are sent there, '
  'and its word about an address in them counts as verified. Empty for a tenant that is not active. Definer: nobody has signed in yet.';
