-- What callers may call, as POST /rest/v1/rpc/<name>. An insert into tenants does the same as create_tenant without an application.

create function public.create_tenant(
  slug text, name text, plan text default 'free', admin jsonb default null, app jsonb default null
) returns public.tenants
language plpgsql volatile set search_path = ''
as $$
declare
  v_tenant public.tenants;
begin
  insert into public.tenants (slug, name, plan, admin_email, admin_given_name, admin_family_name)
  values (create_tenant.slug, create_tenant.name, create_tenant.plan,
    admin ->> 'email', admin ->> 'given_name', admin ->> 'family_name')
  returning * into v_tenant;
  if app is not null then
    insert into public.apps (tenant_id, name, kind, redirect_uris, post_logout_uris)
    values (
      v_tenant.id, app ->> 'name', coalesce(app ->> 'kind', 'spa'),
      array(select jsonb_array_elements_text(coalesce(app -> 'redirect_uris', '[]'))),
      array(select jsonb_array_elements_text(coalesce(app -> 'post_logout_uris', '[]')))
    );
  end if;
  return v_tenant;
end;
$$;
comment on function public.create_tenant(text, text, text, jsonb, jsonb) is
  'A tenant with its first administrator {email, given_name, family_name} and first application {name, kind, redirect_uris, post_logout_uris}, in one transaction; provisioning starts with its commit. '
  'Errors: 409 tenant_slug_taken, 400 tenant_slug_malformed, 422 redirect_uri_refused, 403 without tenants.write on the platform.';

create function public.reconcile_tenant(tenant_id uuid) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(reconcile_tenant.tenant_id, 'tenants.write');
  if not exists (select from public.tenants t where t.id = reconcile_tenant.tenant_id) then
    perform private.refuse(404, 'tenant_not_found',
      format('There is no tenant %s', reconcile_tenant.tenant_id));
  end if;
  perform private.enqueue_reconcile(reconcile_tenant.tenant_id);
end;
$$;
comment on function public.reconcile_tenant(uuid) is
  'Looks at the tenant''s twin in ZITADEL again and repairs what drifted. Errors: 403 not_allowed, 404 tenant_not_found. Definer: the queue is its owner''s; checks tenants.write itself.';

create function private.change_status(
  p_tenant uuid, p_from text[], p_to text
) returns public.tenants
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_tenant public.tenants;
begin
  if not private.platform_has('tenants.write') or p_tenant = private.platform_tenant() then
    raise exception using errcode = 'PT403', message = 'not_allowed',
      detail = 'Changing a tenant''s status takes tenants.write on the platform, and the platform itself has none';
  end if;
  update public.tenants set status = p_to where id = p_tenant and status = any (p_from)
  returning * into v_tenant;
  if not found then
    raise exception using errcode = 'PT409', message = 'tenant_status_conflict',
      detail = format('Cannot set tenant %s to %s: allowed from %s', p_tenant, p_to,
        array_to_string(p_from, ', '));
  end if;
  return v_tenant;
end;
$$;
comment on function private.change_status(uuid, text[], text) is 'One change of status by platform staff. Raises not_allowed, tenant_status_conflict. Definer: callers never write the column.';

create function public.suspend_tenant(tenant_id uuid) returns public.tenants
language sql volatile set search_path = ''
as $$ select private.change_status(tenant_id, array['active'], 'suspended') $$;
comment on function public.suspend_tenant(uuid) is 'active → suspended: nobody signs in, nothing is written by its members. Errors: 403 not_allowed, 409 tenant_status_conflict.';

create function public.resume_tenant(tenant_id uuid) returns public.tenants
language sql volatile set search_path = ''
as $$ select private.change_status(tenant_id, array['suspended'], 'active') $$;
comment on function public.resume_tenant(uuid) is 'suspended → active. Errors: 403 not_allowed, 409 tenant_status_conflict.';

create function public.archive_tenant(tenant_id uuid) returns public.tenants
language sql volatile set search_path = ''
as $$
  select private.change_status(
    tenant_id, array['provisioning', 'active', 'suspended'], 'archived')
$$;
comment on function public.archive_tenant(uuid) is 'Any status → archived, for good; history stays readable. Errors: 403 not_allowed, 409 tenant_status_conflict.';
