-- Who is asking: private.check_request (20_access/80_check_request.sql) decides once and leaves it in transaction-local settings; everything else reads it here.
-- Nothing set means nobody: without the hook every right is absent.

create function private.current_principal_id() returns uuid
language sql stable parallel safe set search_path = ''
as $$ select nullif(current_setting('gatehouse.principal_id', true), '')::uuid $$;
comment on function private.current_principal_id() is 'users.id or service_accounts.id of the caller; null for the anonymous and for jobs.';

create function private.current_user_id() returns uuid
language sql stable parallel safe set search_path = ''
as $$
  select nullif(current_setting('gatehouse.principal_id', true), '')::uuid
   where current_setting('gatehouse.principal_kind', true) = 'user'
$$;
comment on function private.current_user_id() is 'users.id of the caller; null for service accounts, the anonymous and jobs.';

create function private.current_tenant_id() returns uuid
language sql stable parallel safe set search_path = ''
as $$ select nullif(current_setting('gatehouse.tenant_id', true), '')::uuid $$;
comment on function private.current_tenant_id() is 'The tenant named by the x-tenant-id header, to which every policy then narrows; null when the header is absent.';

create function private.current_client_kind() returns text
language sql stable parallel safe set search_path = ''
as $$ select nullif(current_setting('gatehouse.client_kind', true), '') $$;
comment on function private.current_client_kind() is 'portal, app or service: the ceiling over the caller''s rights.';

create function private.request_header(p_name text) returns text
language sql stable parallel safe set search_path = ''
as $$ select nullif(current_setting('request.headers', true), '')::json ->> p_name $$;
comment on function private.request_header(p_name text) is 'A header of the HTTP request as PostgREST or functions/_shared/db.ts hand it on; names are lower case.';

create function private.current_traceparent() returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_traceparent text := nullif(current_setting('gatehouse.traceparent', true), '');
begin
  if v_traceparent is null then
    v_traceparent := nullif(current_setting('request.headers', true), '')::json ->> 'traceparent';
  end if;
  return case when v_traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'
    then v_traceparent end;
end;
$$;
comment on function private.current_traceparent() is 'W3C Trace Context of the request, or of the job (gatehouse.traceparent); null when absent or malformed.';

create function private.current_actor() returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_principal text := nullif(current_setting('gatehouse.principal_id', true), '');
begin
  if v_principal is not null then
    return jsonb_build_object(
      'kind', current_setting('gatehouse.principal_kind', true), 'id', v_principal);
  elsif session_user = 'gatehouse_worker' then
    return '{"kind": "system", "id": "worker"}';
  elsif session_user in ('authenticator', 'gatehouse_functions', 'gatehouse_provision') then
    return '{"kind": "anonymous", "id": null}';
  end if;
  return jsonb_build_object('kind', 'operator', 'id', session_user);
end;
$$;
comment on function private.current_actor() is 'Who acts, for the log: {kind: user | service | system | anonymous | operator, id}. Ids only, no personal value.';

create function private.client_address(p_forwarded text) returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_entries text[] := string_to_array(p_forwarded, ',');
  v_count integer := cardinality(v_entries);
  v_hops integer := 1;
begin
  if v_count > 1 then -- else every number of hops comes to the same, and nothing is read
    v_hops := substring(private.get_setting('network.trusted_hops')::text from '^(?:[1-9]|10)$');
  end if;
  return nullif(trim(v_entries[greatest(v_count - coalesce(v_hops, 1) + 1, 1)]), '');
end;
$$;
comment on function private.client_address(text) is
  'The entry of x-forwarded-for that the outermost of our proxies wrote: so many from the end as the setting network.trusted_hops says, 1 to 10, default 1. What stands before it is the client''s word.';

create function private.current_auth_method() returns text
language plpgsql stable set search_path = ''
as $$
begin
  return case current_setting('gatehouse.principal_kind', true)
    when 'user' then 'user_session' when 'service' then 'service_account'
    else case when session_user = 'gatehouse_worker' then 'worker' end end;
end;
$$;
comment on function private.current_auth_method() is 'What let the caller in, for the log: user_session (a person''s access token), service_account, worker; null when unknown.';

create function private.current_context() returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_headers json := nullif(current_setting('request.headers', true), '');
  v_forwarded text := v_headers ->> 'x-forwarded-for';
  v_traceparent text := private.current_traceparent();
  v_method text := private.current_auth_method();
begin
  if v_headers is null and v_traceparent is null and v_method is null then
    return '{}'; -- an operator's
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'request_id', left(v_headers ->> 'x-correlation-id', 100),
    'traceparent', v_traceparent,
    'trace_id', split_part(v_traceparent, '-', 2),
    'address', case when v_forwarded is not null then private.client_address(v_forwarded) end,
    'user_agent', left(v_headers ->> 'user-agent', 300),
    'client_id', nullif(current_setting('gatehouse.client_id', true), ''),
    'auth_method', v_method
  ));
end;
$$;
comment on function private.current_context() is 'How the request came, for the log: request and trace ids, address by the outermost trusted hop, user agent, client id, what let the caller in; absent values are left out.';
