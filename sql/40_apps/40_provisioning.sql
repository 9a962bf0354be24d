-- What provisioning and the widget read and write of applications.

create function private.settle_app(
  p_tenant uuid, p_token bigint, p_app uuid, p_state text, p_application_id text,
  p_client_id text, p_error jsonb
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_lease(p_tenant, p_token);
  update public.apps
     set state = p_state, last_error = p_error,
         application_id = coalesce(p_application_id, application_id),
         client_id = coalesce(p_client_id, client_id)
   where tenant_id = p_tenant and id = p_app
     and (state, last_error, application_id, client_id) is distinct from (p_state, p_error,
       coalesce(p_application_id, application_id), coalesce(p_client_id, client_id));
  if p_client_id is not null then
    perform private.put_client(private.zitadel_issuer(), p_client_id, 'app', p_tenant, p_app);
  end if;
end;
$$;
comment on function private.settle_app(uuid, bigint, uuid, text, text, text, jsonb) is
  'Writes what ZITADEL confirmed of an application, and its client''s ceiling. Raises lease_lost. Definer: callers never write these columns.';

create function private.web_origins(p_uris text[]) returns text[]
language sql immutable parallel safe set search_path = ''
as $$
  select coalesce(array_agg(distinct origin order by origin), '{}')
    from (select substring(uri from '^https?://[^/?#]+') as origin
      from unnest(p_uris) as u (uri)) x
   where origin is not null
$$;
comment on function private.web_origins(text[]) is
  'The origins of web addresses, as browsers write them: what is registered is in that form (web_uri_problem).';

create function private.widget_client(p_client_id text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'kind', c.kind,
    'tenantId', t.id, 'tenantName', t.name, 'tenantStatus', t.status,
    'organizationId', case t.kind when 'platform'
      then private.get_setting('zitadel.platform_organization_id') #>> '{}'
      else t.organization_id end,
    'loginDomain', t.login_domain,
    'appId', a.id, 'appName', coalesce(a.name, 'Gatehouse portal'),
    'enabled', coalesce(a.enabled and a.state = 'active', true),
    'inlineEnabled', coalesce(a.inline_enabled, false),
    'inlineOrigins', to_jsonb(private.web_origins(a.redirect_uris)))
    from private.clients c
    join public.tenants t on t.id = coalesce(c.tenant_id, private.platform_tenant())
    left join public.apps a on a.tenant_id = c.tenant_id and a.id = c.app_id
   where c.client_id = p_client_id
$$;
comment on function private.widget_client(text) is
  'What the sign-in page must know of a client: {kind, tenantId, tenantName, tenantStatus, organizationId, loginDomain, appId, appName, enabled, inlineEnabled, inlineOrigins}; null when unknown. Definer: nobody has signed in yet.';

create function private.widget_tenant(p_tenant text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'kind', 'account',
    'tenantId', t.id, 'tenantName', t.name, 'tenantStatus', t.status,
    'organizationId', case t.kind when 'platform'
      then private.get_setting('zitadel.platform_organization_id') #>> '{}'
      else t.organization_id end,
    'appId', null, 'appName', '',
    'enabled', true, 'inlineEnabled', false, 'inlineOrigins', '[]'::jsonb)
    from public.tenants t
   where t.slug = p_tenant or t.id::text = p_tenant
   order by t.slug = p_tenant limit 1
$$;
comment on function private.widget_tenant(text) is
  'As widget_client, for the person''s own page, which no application asks for; by id or slug. Definer: nobody has signed in yet.';

create function private.is_app_origin(p_origin text) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select from public.apps a
     where a.enabled and p_origin = any (private.web_origins(a.redirect_uris)))
$$;
comment on function private.is_app_origin(text) is
  'Whether an application has pages of this origin: they may ask, and read why they are refused. Definer: nobody has signed in yet.';

create function private.is_administrator(p_subject text) returns boolean
language sql stable security definer set search_path = ''
as $$
  select exists (
    select from public.users u
      join public.assignments a on a.user_id = u.id
     where u.issuer = private.zitadel_issuer() and u.subject = p_subject)
$$;
comment on function private.is_administrator(text) is
  'Whether ZITADEL''s user holds any role of ours: those do not sign in on others'' pages. Definer: nobody has signed in yet.';

create function private.find_login_organization(p_login_name text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_name text := lower(btrim(p_login_name));
  v_tenant uuid := (
    select t.id from public.tenants t
     where t.login_domain = substring(v_name from '@([^@]*)$') and t.status <> 'archived'
     order by t.id limit 1);
  v_homes uuid[];
begin
  if v_tenant is null then
    -- An address or a short name: whoever is known by it, platform staff before all. One that two tenants know is nobody's.
    select array_agg(distinct coalesce(u.home_tenant_id, private.platform_tenant())) into v_homes
      from public.users u
      left join public.tenants t on t.id = u.home_tenant_id
     where u.state = 'active' and t.status is distinct from 'archived'
       and (lower(u.login_name) = v_name or lower(u.email) = v_name and u.email_verified);
    v_tenant := case
      when private.platform_tenant() = any (v_homes) or cardinality(v_homes) > 1
        then private.platform_tenant()
      else coalesce(v_homes[1], private.platform_tenant()) end;
  end if;
  return (
    select jsonb_build_object('tenantId', t.id, 'tenantStatus', t.status,
        'organizationId', case t.kind when 'platform'
          then private.get_setting('zitadel.platform_organization_id') #>> '{}'
          else t.organization_id end)
      from public.tenants t where t.id = v_tenant);
end;
$$;
comment on function private.find_login_organization(text) is
  'Whose login name this is, for the portal''s client: {tenantId, tenantStatus, organizationId} of the tenant whose login domain follows the last @, '
  'else of the one tenant that knows somebody by it, else the platform''s. Definer: nobody has signed in yet.';

create function private.begin_app_secret(p_tenant uuid, p_app uuid) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_app public.apps;
begin
  perform private.require_right(p_tenant, 'apps.write');
  select * into v_app from public.apps where tenant_id = p_tenant and id = p_app;
  if not found then
    perform private.refuse(404, 'app_not_found', format('There is no application %s in tenant %s', p_app, p_tenant));
  elsif v_app.kind <> 'web' then
    perform private.refuse(409, 'app_not_confidential', 'Only an application of kind web has a secret');
  elsif v_app.state <> 'active' then
    perform private.refuse(409, 'app_not_ready', format('The application is %s; a secret takes an active one', v_app.state));
  end if;
  perform private.record_event(p_tenant, 'app.secret_rotated',
    jsonb_build_array(jsonb_build_object('kind', 'app', 'id', p_app)), '{}');
  return jsonb_build_object('clientId', v_app.client_id, 'applicationId', v_app.application_id,
    'projectId', (select project_id from public.tenants where id = p_tenant),
    'organizationId', (select organization_id from public.tenants where id = p_tenant));
end;
$$;
comment on function private.begin_app_secret(uuid, uuid) is
  'Checks and records that the application gets a new secret; returns {clientId, applicationId, projectId, organizationId}. Raises not_allowed, app_not_found, app_not_confidential, app_not_ready. '
  'Definer: callers cannot write events; checks apps.write itself.';
