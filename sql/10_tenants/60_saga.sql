-- What the saga reads and writes. Each write takes the fencing token and is one small transaction; ZITADEL is never called inside one.

create function private.provisioning_input(p_tenant uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'tenant', jsonb_build_object(
      'id', t.id, 'slug', t.slug, 'name', t.name, 'kind', t.kind, 'status', t.status,
      'organizationId', t.organization_id, 'projectId', t.project_id,
      'admin', case when t.admin_email is not null then jsonb_build_object('email', t.admin_email,
        'givenName', t.admin_given_name, 'familyName', t.admin_family_name) end),
    'steps', (
      select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'required', s.required,
        'state', s.state, 'attempts', s.attempts, 'inputHash', s.input_hash,
        'externalId', s.external_id) order by s.position), '[]')
        from public.provisioning_steps s where s.tenant_id = t.id),
    'apps', (
      select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'name', a.name, 'kind', a.kind,
        'redirectUris', a.redirect_uris, 'postLogoutUris', a.post_logout_uris,
        'enabled', a.enabled, 'state', a.state, 'clientId', a.client_id,
        'applicationId', a.application_id) order by a.id), '[]')
        from public.apps a where a.tenant_id = t.id))
      || private.providers_input(t.id)
    from public.tenants t where t.id = p_tenant
$$;
comment on function private.provisioning_input(uuid) is 'All that the saga of a tenant needs, as {tenant, steps[], apps[], providers[], removedProviders[]}; null when there is no such tenant. Definer: runs for jobs, past row level security.';

create function private.start_step(p_tenant uuid, p_token bigint, p_step text) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_lease(p_tenant, p_token);
  update public.provisioning_steps
     set attempts = attempts + 1, started_at = clock_timestamp(), updated_at = clock_timestamp()
   where tenant_id = p_tenant and name = p_step;
end;
$$;
comment on function private.start_step(uuid, bigint, text) is 'Counts an attempt at a step. Raises lease_lost. Definer: callers never write steps.';

create function private.settle_step(
  p_tenant uuid, p_token bigint, p_step text, p_state text, p_input_hash text,
  p_external_id text, p_error jsonb
) returns text
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_status text;
begin
  perform private.require_lease(p_tenant, p_token);
  update public.provisioning_steps
     set state = p_state, input_hash = p_input_hash,
         external_id = coalesce(p_external_id, external_id), last_error = p_error,
         settled_at = case when p_state in ('ok', 'skipped') then clock_timestamp() end,
         updated_at = clock_timestamp()
   where tenant_id = p_tenant and name = p_step;
  update public.tenants
     set organization_id =
           case p_step when 'organization' then p_external_id else organization_id end,
         project_id = case p_step when 'project' then p_external_id else project_id end
   where id = p_tenant and p_state = 'ok' and p_external_id is not null
     and (p_step = 'organization' and organization_id is distinct from p_external_id
       or p_step = 'project' and project_id is distinct from p_external_id);
  update public.tenants set status = 'active', activated_at = clock_timestamp()
   where id = p_tenant and status = 'provisioning' and not exists (
     select from public.provisioning_steps
      where tenant_id = p_tenant and required and state not in ('ok', 'skipped'));
  select status into v_status from public.tenants where id = p_tenant;
  return v_status;
end;
$$;
comment on function private.settle_step(uuid, bigint, text, text, text, text, jsonb) is
  'Writes a step''s outcome; the tenant becomes active with the last required step that is ok or skipped. Returns the tenant''s status. Raises lease_lost. Definer: callers never write steps.';

create function private.settle_organization(
  p_tenant uuid, p_token bigint, p_login_domain text
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_lease(p_tenant, p_token);
  update public.tenants set login_domain = p_login_domain
   where id = p_tenant and login_domain is distinct from p_login_domain;
end;
$$;
comment on function private.settle_organization(uuid, bigint, text) is 'Notes ZITADEL''s primary domain of the organization. Raises lease_lost. Definer: callers never write it.';
