-- Links that an administrator asks for, to hand over or to be mailed: functions/provision/links.ts gets the code from ZITADEL, which alone knows it.
create function private.begin_user_link(p_user uuid, p_kind text, p_by text) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_user public.users;
  v_right text;
begin
  select * into v_user from public.users u where u.id = p_user and u.erased_at is null;
  perform private.require_right(
    coalesce(v_user.home_tenant_id, private.platform_tenant()), 'users.write');
  if v_user.id is null or v_user.state = 'removed' then
    perform private.refuse(404, 'user_not_found', format('There is no user %s', p_user));
  elsif coalesce(v_user.home_tenant_id, private.platform_tenant()) = private.platform_tenant()
    or exists (
      select from public.assignments a
       where a.user_id = p_user and a.tenant_id = private.platform_tenant())
  then
    perform private.refuse(403, 'platform_user_refused',
      'Platform staff gets its credentials in ZITADEL itself');
  end if;
  -- Whoever holds the link becomes the person: so it takes every right that the person holds, wherever they hold it.
  select r.right_key into v_right
    from public.assignments a join public.role_rights r on r.role_key = a.role_key
   where a.user_id = p_user and not private.platform_has(r.right_key)
     and a.tenant_id not in (select private.tenants_with(r.right_key))
   limit 1;
  if found then
    perform private.refuse(403, 'not_allowed',
      format('User %s holds the right %s where the caller does not', p_user, v_right));
  end if;
  perform private.record_event(v_user.home_tenant_id, 'user.link_issued',
    jsonb_build_array(jsonb_build_object('kind', 'user', 'id', p_user)),
    jsonb_build_object('kind', p_kind, 'by', p_by));
  return jsonb_build_object('tenantId', v_user.home_tenant_id, 'subject', v_user.subject,
    'organizationId', (select t.organization_id from public.tenants t
       where t.id = v_user.home_tenant_id),
    'inviterName', (select u.display_name from public.users u
       where u.id = private.current_user_id()));
end;
$$;
comment on function private.begin_user_link(uuid, text, text) is
  'Checks and records that somebody gets a link (reset, invitation) by hand or by mail; returns {tenantId, subject, organizationId, inviterName}. Raises not_allowed, user_not_found, platform_user_refused. '
  'Definer: callers cannot write events; checks users.write itself, and that the person holds no right that the caller does not.';
