-- The first administrator of a tenant, or of the platform: ZITADEL made the user, provisioning tells us whom to let in.

create function private.settle_administrator(
  p_tenant uuid, p_token bigint, p_issuer text, p_subject text, p_profile jsonb
) returns uuid
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_user uuid;
begin
  perform private.require_lease(p_tenant, p_token);
  v_user := private.ensure_user(p_issuer, p_subject, p_tenant);
  update public.users u
     set login_name = coalesce(u.login_name, p_profile ->> 'loginName'),
         email = coalesce(u.email, p_profile ->> 'email'),
         given_name = coalesce(u.given_name, p_profile ->> 'givenName'),
         family_name = coalesce(u.family_name, p_profile ->> 'familyName')
   where u.id = v_user and u.erased_at is null;
  insert into public.assignments (tenant_id, user_id, role_key)
  values (p_tenant, v_user,
    case p_tenant when private.platform_tenant() then 'platform_admin' else 'tenant_admin' end)
  on conflict on constraint assignment_taken do nothing;
  return v_user;
end;
$$;
comment on function private.settle_administrator(uuid, bigint, text, text, jsonb) is
  'Gives the user of (issuer, subject) the administrator''s role; profile {loginName, email, givenName, familyName} fills what is not mirrored yet. Returns users.id. Raises lease_lost. Definer: runs for jobs.';
