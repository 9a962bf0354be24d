-- The hook: which token, which client, which tenant. PostgREST calls private.check_request before every request (db-pre-request), functions/_shared/db.ts in asCaller.
-- The signature is checked before; everything else is decided here, once.

create function private.authenticate(
  p_claims jsonb, p_authorization text, p_tenant text
) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_issuer record; -- private.issuers stands in a later room
  v_user public.users;
  v_service public.service_accounts;
  v_client private.clients;
  v_head jsonb;
  v_context jsonb := jsonb_build_object('role', 'anon');
  v_platform boolean;
begin
  if p_tenant is not null
    and p_tenant !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
  then
    perform private.refuse(400, 'tenant_id_malformed', 'x-tenant-id is not a UUID in lower case');
  end if;
  -- Without a token PostgREST makes these claims up.
  if p_claims is null or p_claims = '{"role": "anon"}' then
    if p_tenant is not null then
      perform private.refuse(403, 'tenant_not_member', 'x-tenant-id takes a token');
    end if;
    return v_context;
  end if;

  select * into v_issuer from private.issuers i where i.issuer = p_claims ->> 'iss';
  if not found then
    perform private.refuse(401, 'issuer_unknown', 'The token''s iss is no issuer of ours');
  end if;
  if p_authorization is not null then
    v_head := private.token_head(p_authorization);
    -- PostgREST tries every key whatever the kid says; which type of key it was, alg tells, and issuers differ in it.
    if v_head ->> 'alg' is distinct from
        (case v_issuer.kind when 'gatehouse' then 'ES256' else 'RS256' end)
      or not exists (
        select from private.verification_keys k
         where k.issuer = v_issuer.issuer and k.kid = v_head ->> 'kid')
    then
      perform private.refuse(401, 'key_unknown', 'The token was signed by no key of its issuer');
    end if;
  end if;
  -- PostgREST writes the role it came to into the claims: anon, where the token named none.
  if v_issuer.kind <> 'gatehouse' and p_claims ->> 'role' <> 'anon' then
    perform private.refuse(401, 'role_claim_foreign', 'Only our own issuer names a role');
  end if;
  if not (p_claims ? 'aud') or not (
    case jsonb_typeof(p_claims -> 'aud') when 'array' then p_claims -> 'aud' ? v_issuer.audience
      else p_claims ->> 'aud' = v_issuer.audience end)
  then
    perform private.refuse(401, 'audience_refused', 'The token''s aud does not name Gatehouse');
  end if;
  if v_issuer.kind = 'gatehouse' and p_claims ->> 'role' = 'anon' and not p_claims ? 'sub' then
    if p_tenant is not null then
      perform private.refuse(403, 'tenant_not_member', 'x-tenant-id takes a token of a person or service');
    end if;
    return v_context;
  end if;
  if v_issuer.kind = 'gatehouse' and p_claims ->> 'role' is distinct from 'authenticated' then
    perform private.refuse(401, 'role_refused', 'A token names no role but authenticated');
  end if;
  if not p_claims ?& array['sub', 'jti', 'client_id', 'iat', 'exp']
    or p_claims ?| array['nonce', 'at_hash', 'c_hash', 'amr', 'sid']
  then
    perform private.refuse(401, 'not_an_access_token',
      'An access token has sub, jti, client_id, iat and exp, '
        || 'and no nonce, at_hash, c_hash, amr or sid');
  end if;

  select * into v_service from public.service_accounts s
   where s.issuer = v_issuer.issuer and s.subject = p_claims ->> 'sub';
  if found then
    if not v_service.enabled then
      perform private.refuse(401, 'service_account_disabled', 'The service account is disabled');
    end if;
    v_context := v_context || jsonb_build_object('principal_kind', 'service',
      'principal_id', v_service.id, 'client_kind', 'service');
  else
    select * into v_client from private.clients c
     where c.issuer = v_issuer.issuer and c.client_id = p_claims ->> 'client_id';
    if not found or exists (select from public.apps a
      where a.tenant_id = v_client.tenant_id and a.id = v_client.app_id and not a.enabled)
    then
      perform private.refuse(401, 'client_refused', 'The token came through no enabled client of ours');
    end if;
    if exists (select from public.tenants t
      where t.id = v_client.tenant_id and t.status in ('suspended', 'archived'))
    then
      perform private.refuse(403, 'tenant_suspended', 'The application''s tenant is suspended');
    end if;
    select * into v_user from public.users u
     where u.issuer = v_issuer.issuer and u.subject = p_claims ->> 'sub';
    if v_user.state <> 'active' then
      perform private.refuse(401, 'user_inactive', 'The user is disabled or removed');
    end if;
    if to_timestamp((p_claims ->> 'iat')::numeric) < v_user.tokens_valid_after then
      perform private.refuse(401, 'token_revoked', 'The token is from before the user signed out everywhere');
    end if;
    v_context := v_context || jsonb_build_object('principal_kind', 'user',
      'principal_id', v_user.id, 'client_kind', v_client.kind);
  end if;

  v_platform := exists (
    select from public.assignments a
     where a.principal_id = (v_context ->> 'principal_id')::uuid
       and a.tenant_id = private.platform_tenant());
  if p_tenant is not null and not exists (
    select from public.tenants t
     where t.id = p_tenant::uuid
       and (v_platform and v_context ->> 'client_kind' <> 'app' or exists (
       select from public.assignments a
        where a.tenant_id = t.id and a.principal_id = (v_context ->> 'principal_id')::uuid)))
  then
    perform private.refuse(403, 'tenant_not_member', 'The caller is no member of the tenant in x-tenant-id');
  end if;
  return v_context || jsonb_build_object(
    'role', case when v_platform and p_tenant is null and v_context ->> 'client_kind' <> 'app'
      then 'gatehouse_platform' else 'authenticated' end,
    'tenant_id', p_tenant, 'client_id', p_claims ->> 'client_id');
end;
$$;
comment on function private.authenticate(jsonb, text, text) is
  'Claims, Authorization header and x-tenant-id to {role, principal_kind, principal_id, client_kind, client_id, tenant_id}, or a refusal: 400, 401 or 403 with its slug. '
  'Definer: reads users, keys, clients and assignments before the caller is anybody.';

create function private.refuse(p_status integer, p_slug text, p_detail text) returns void
language plpgsql immutable set search_path = ''
as $$
begin
  raise exception using errcode = 'PT' || p_status, message = p_slug, detail = p_detail;
end;
$$;
comment on function private.refuse(integer, text, text) is 'Raises a known failure: HTTP status by SQLSTATE PTxyz, slug, detail.';

create function private.token_head(p_authorization text) returns jsonb
language plpgsql immutable set search_path = ''
as $$
declare
  v_header text := translate(
    split_part(substring(p_authorization from '(?i)^bearer +(.+)$'), '.', 1), '-_', '+/');
begin
  return convert_from(
    decode(rpad(v_header, (ceil(length(v_header) / 4.0) * 4)::integer, '='), 'base64'), 'UTF8'
  )::jsonb;
exception
  when data_exception then return null; -- bad base64, UTF-8 or JSON: not a token of ours
end;
$$;
comment on function private.token_head(text) is 'The protected header of the JWT in an Authorization header (RFC 7515, section 4): kid, alg; null when there is none to be read.';

create function private.check_request() returns void
language plpgsql volatile set search_path = ''
as $$
declare
  v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  v_context jsonb := private.authenticate(
    v_claims,
    -- PostgREST takes a token from nowhere else; without claims the header held none.
    case when v_claims = '{"role": "anon"}' then null
      else private.request_header('authorization') end,
    private.request_header('x-tenant-id'));
begin
  perform
    set_config('gatehouse.principal_kind', coalesce(v_context ->> 'principal_kind', ''), true),
    set_config('gatehouse.principal_id', coalesce(v_context ->> 'principal_id', ''), true),
    set_config('gatehouse.client_kind', coalesce(v_context ->> 'client_kind', ''), true),
    set_config('gatehouse.client_id', coalesce(v_context ->> 'client_id', ''), true),
    set_config('gatehouse.tenant_id', coalesce(v_context ->> 'tenant_id', ''), true),
    set_config('role', v_context ->> 'role', true);
end;
$$;
comment on function private.check_request() is
  'Decides who asks, for this transaction. Invoker: a definer cannot switch roles. Refusals: see private.authenticate.';
