-- What callers may call, as POST /rest/v1/rpc/<name>.

create function public.whoami() returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'kind', coalesce(nullif(current_setting('gatehouse.principal_kind', true), ''), 'anonymous'),
    'id', private.current_principal_id(),
    'client_kind', private.current_client_kind(),
    'tenant_id', private.current_tenant_id(),
    'assignments', coalesce((
      select jsonb_agg(jsonb_build_object('tenant_id', a.tenant_id, 'role', a.role_key)
        order by a.tenant_id, a.role_key)
        from public.assignments a
       where a.principal_id = private.current_principal_id()
         and private.client_may('access.read')), '[]'))
$$;
comment on function public.whoami() is
  'Who the token says is asking, and with which roles: {kind, id, client_kind, tenant_id, assignments: [{tenant_id, role}]}. Definer: own assignments are told without access.read.';

create function public.start_session() returns uuid
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  v_id uuid := private.current_user_id();
begin
  if v_claims ->> 'sub' is null or private.current_client_kind() = 'service' then
    raise exception using errcode = 'PT403', message = 'not_a_person',
      detail = 'Only a person''s token starts a session';
  end if;
  if v_id is null then
    v_id := private.ensure_user(v_claims ->> 'iss', v_claims ->> 'sub', (
      select c.tenant_id from private.clients c
       where c.issuer = v_claims ->> 'iss' and c.client_id = v_claims ->> 'client_id'));
  end if;
  update public.users set last_seen_at = clock_timestamp() where id = v_id;
  return v_id;
end;
$$;
comment on function public.start_session() is
  'Makes the caller''s user row when ZITADEL''s event has not come yet; returns users.id. Errors: 403 not_a_person. Definer: callers never write users.';

create function public.sign_out_everywhere(user_id uuid default null) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_user uuid := coalesce(sign_out_everywhere.user_id, private.current_user_id());
  v_home uuid := (select u.home_tenant_id from public.users u where u.id = v_user);
begin
  if v_user is null or v_user is distinct from private.current_user_id() then
    perform private.require_right(coalesce(v_home, private.platform_tenant()), 'users.write');
  end if;
  update public.users set tokens_valid_after = clock_timestamp() where id = v_user;
  if not found then
    raise exception using errcode = 'PT404', message = 'user_not_found',
      detail = format('There is no user %s', v_user);
  end if;
end;
$$;
comment on function public.sign_out_everywhere(uuid) is
  'Refuses every token that the user, by default the caller, got until now. Errors: 403 not_allowed, 404 user_not_found. Definer: callers never write users; checks users.write itself.';
