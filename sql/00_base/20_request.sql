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

create function private.current_context() returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_headers json := nullif(current_setting('request.headers', true), '');
  v_traceparent text := private.current_traceparent();
begin
  if v_headers is null and v_traceparent is null then
    return '{}'; -- a job's or an operator's
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'request_id', left(v_headers ->> 'x-correlation-id', 100),
    'traceparent', v_traceparent,
    'trace_id', split_part(v_traceparent, '-', 2),
    -- The hop nearest to us wrote the last entry; the ones before it are the client's word.
    'address', trim(split_part(v_headers ->> 'x-forwarded-for', ',', -1)),
    'user_agent', left(v_headers ->> 'user-agent', 300),
    'client_id', nullif(current_setting('gatehouse.client_id', true), '')
  ));
end;
$$;
comment on function private.current_context() is 'How the request came, for the log: request and trace ids, address by the nearest hop, user agent, client id; absent values are left out.';
