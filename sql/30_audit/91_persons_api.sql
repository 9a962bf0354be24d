-- What callers may call about a person's data and about legal holds, as POST /rest/v1/rpc/<name>.

create function public.erase_person(user_id uuid) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_user public.users;
begin
  select * into v_user from public.users u where u.id = erase_person.user_id;
  perform private.require_right(
    coalesce(v_user.home_tenant_id, private.platform_tenant()), 'users.write');
  return private.erase_user(v_user);
end;
$$;
comment on function public.erase_person(uuid) is
  'Erases a person for good: blanks their row, ends their sessions, removes their personal values from the log, here and at ZITADEL; the log still verifies. Calling it again removes what came late. '
  'Returns how many events had values. Errors: 403 not_allowed, 404 user_not_found, 409 legal_hold. Definer: callers never write users; checks users.write itself.';

create function public.export_person(user_id uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_user public.users;
begin
  select * into v_user from public.users u where u.id = export_person.user_id;
  if v_user.id is distinct from private.current_user_id() or v_user.id is null then
    perform private.require_right(
      coalesce(v_user.home_tenant_id, private.platform_tenant()), 'users.write');
  end if;
  return private.export_user(v_user);
end;
$$;
comment on function public.export_person(uuid) is
  'Everything known of a person, for their request for access: {exported_at, user, assignments, sessions, events: [{id, tenant_id, type, occurred_at, actor, data, values}]}; values are their own ones only. '
  'Reads the log of their tenants whole: 0.7 s for 100,000 events. Errors: 403 not_allowed, 404 user_not_found. Definer: the log is not the person''s to read; oneself, or checks users.write itself.';

create function public.place_legal_hold(tenant_id uuid, reason text) returns public.legal_holds
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_hold public.legal_holds;
begin
  perform private.require_platform('tenants.write');
  perform private.lock_holds(true);
  insert into public.legal_holds (tenant_id, reason)
  values (place_legal_hold.tenant_id, place_legal_hold.reason)
  returning * into v_hold;
  return v_hold;
end;
$$;
comment on function public.place_legal_hold(uuid, text) is
  'From now on nothing of the tenant is erased. Errors: 403 not_allowed, 409 legal_hold_already_open, still_referenced (no such tenant), 400 legal_hold_reason_malformed. '
  'Definer: callers never write holds; checks tenants.write itself.';

create function public.lift_legal_hold(tenant_id uuid) returns public.legal_holds
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_hold public.legal_holds;
begin
  perform private.require_platform('tenants.write');
  update public.legal_holds h set lifted_at = clock_timestamp()
   where h.tenant_id = lift_legal_hold.tenant_id and h.lifted_at is null
  returning * into v_hold;
  if not found then
    perform private.refuse(404, 'legal_hold_not_found',
      format('No legal hold is open over tenant %s', lift_legal_hold.tenant_id));
  end if;
  return v_hold;
end;
$$;
comment on function public.lift_legal_hold(uuid) is
  'Ends the tenant''s legal hold. Errors: 403 not_allowed, 404 legal_hold_not_found. Definer: callers never write holds; checks tenants.write itself.';
