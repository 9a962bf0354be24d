-- What may stand in providers.settings, by kind, and which hosts that means. A draft may be incomplete, never malformed.

create function private.text_problem(p_value jsonb, p_pattern text, p_longest integer) returns text
language sql immutable parallel safe set search_path = ''
as $$
  select case
    when jsonb_typeof(p_value) <> 'string' then 'it is no text'
    when length(p_value #>> '{}') not between 1 and p_longest
      then format('it has not 1 to %s characters', p_longest)
    when (p_value #>> '{}') !~ p_pattern then 'it is malformed'
  end
$$;
comment on function private.text_problem(jsonb, text, integer) is 'Why a JSON value is no text of this form; null when it is.';

create function private.provider_setting_problem(p_key text, p_value jsonb) returns text
language plpgsql stable parallel safe set search_path = ''
as $$
declare
  v_attribute constant text := '^[A-Za-z][A-Za-z0-9;-]*$'; -- RFC 4512, 2.5
  v_name constant text := '^[^[:cntrl:]]*$';
  v_text text := p_value #>> '{}';
  v_item jsonb;
  v_problem text;
begin
  if p_key in ('scopes', 'servers', 'userObjectClasses', 'userFilters') then
    if jsonb_typeof(p_value) <> 'array' or jsonb_array_length(p_value) > 20 then
      return 'it is no list of 20 at most';
    end if;
    for v_item in select jsonb_array_elements(p_value) loop
      v_problem := private.text_problem(v_item, case p_key
        when 'scopes' then '^[!#-\[\]-~]+$' -- RFC 6749, 3.3
        when 'servers'
          then '^ldaps?://(\[[0-9a-f:]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?$'
        else v_attribute end, 255);
      if v_problem is not null then return format('%s: %s', v_item, v_problem); end if;
    end loop;
  elsif p_key = 'attributes' then
    if jsonb_typeof(p_value) <> 'object' then return 'it is no object'; end if;
    return (
      select format('%s: %s', a.key, coalesce(private.text_problem(a.value, v_attribute, 100),
          'there is no such attribute of a person'))
        from jsonb_each(p_value) a
       where private.text_problem(a.value, v_attribute, 100) is not null
          or a.key <> all (array['id', 'userName', 'givenName', 'familyName', 'displayName',
            'email', 'emailVerified', 'preferredLanguage'])
       order by a.key limit 1);
  elsif p_key in ('emailVerified', 'idTokenMapping', 'pkce', 'signedRequests', 'startTls') then
    return case when jsonb_typeof(p_value) <> 'boolean' then 'it is neither true nor false' end;
  elsif p_key = 'timeoutSeconds' then
    return case when jsonb_typeof(p_value) <> 'number' or v_text !~ '^[0-9]{1,2}$'
      or v_text::integer not between 1 and 30 then 'it is not 1 to 30' end;
  elsif p_key in ('issuer', 'baseUrl') then
    return coalesce(
      private.text_problem(p_value, '^https?://[^?#@[:space:]]*[^/?#@[:space:]]$', 500),
      private.web_uri_problem(v_text));
  elsif p_key = 'tenant' then
    return private.text_problem(p_value,
      '^(common|organizations|consumers|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$', 36);
  elsif p_key = 'binding' then
    return private.text_problem(p_value, '^(post|redirect)$', 8);
  elsif p_key = 'nameIdFormat' then
    return private.text_problem(p_value, '^(unspecified|email|persistent|transient)$', 11);
  elsif p_key = 'metadataXml' then
    return case
      when jsonb_typeof(p_value) <> 'string' or length(v_text) > 100000
        then 'it is no text of 100000 characters at most'
      when v_text ~* '<!(doctype|entity)' then 'it has a document type, which metadata never needs'
      when v_text !~ '<([A-Za-z0-9_]+:)?IDPSSODescriptor[[:space:]>]'
        then 'it describes no identity provider'
    end;
  elsif p_key = 'ca' then
    return case when jsonb_typeof(p_value) <> 'string' or length(v_text) > 20000
      or v_text !~ '-----BEGIN CERTIFICATE-----' or v_text ~ 'PRIVATE KEY'
      then 'it is no certificate in PEM' end;
  else
    return private.text_problem(p_value, v_name, 500); -- clientId, baseDn, bindDn, userBase
  end if;
  return null;
end;
$$;
comment on function private.provider_setting_problem(text, jsonb) is 'Why this is no value of the setting; null when it is one.';

create function private.provider_setting_keys(
  p_kind text, out allowed text[], out required text[]
)
language plpgsql immutable parallel safe set search_path = ''
as $$
begin
  case p_kind
    when 'google' then
      allowed := '{clientId,scopes}';
      required := '{clientId}';
    when 'github' then
      allowed := '{clientId,scopes,baseUrl}';
      required := '{clientId}';
    when 'microsoft' then
      allowed := '{clientId,scopes,tenant,emailVerified}';
      required := '{clientId,tenant}';
    when 'oidc' then
      allowed := '{issuer,clientId,scopes,idTokenMapping,pkce}';
      required := '{issuer,clientId}';
    when 'saml' then
      allowed := '{metadataXml,binding,signedRequests,nameIdFormat}';
      required := '{metadataXml}';
    when 'ldap' then
      allowed := '{servers,startTls,baseDn,bindDn,userBase,userObjectClasses,userFilters,'
        || 'timeoutSeconds,attributes,ca}';
      required := '{servers,baseDn,bindDn,userObjectClasses,userFilters,attributes}';
    else null; -- the table's check refuses it
  end case;
end;
$$;
comment on function private.provider_setting_keys(text) is 'Which settings a kind of provider has, and without which it signs nobody in.';

create function private.provider_settings_problem(
  p_kind text, p_settings jsonb, p_complete boolean
) returns text
language plpgsql stable parallel safe set search_path = ''
as $$
declare
  v_keys record := private.provider_setting_keys(p_kind);
  v_problem text;
begin
  if p_settings <> '{}' then
    select format('%s: %s', s.key, coalesce(
        case when s.key <> all (v_keys.allowed)
          then 'a provider of this kind has no such setting' end,
        private.provider_setting_problem(s.key, s.value))) into v_problem
      from jsonb_each(p_settings) s
     where s.key <> all (v_keys.allowed)
        or private.provider_setting_problem(s.key, s.value) is not null
     order by s.key limit 1;
  end if;
  if v_problem is not null then
    return v_problem;
  elsif p_kind = 'microsoft' and p_settings -> 'emailVerified' = 'true'
    and coalesce(p_settings ->> 'tenant', 'common') in ('common', 'organizations', 'consumers')
  then
    -- Whoever administers any directory may write any address into it.
    return 'emailVerified: only one directory, named by its id, can vouch for addresses';
  elsif p_kind = 'ldap' and p_settings -> 'startTls' is distinct from 'true' then
    if exists (
      select from jsonb_array_elements_text(coalesce(p_settings -> 'servers', '[]')) server
       where server ~ '^ldap://' and server !~ '^ldap://(127\.0\.0\.1|localhost|\[::1\])(:|$)')
    then
      return 'servers: over ldap:// passwords would cross the network in clear; use ldaps://';
    end if;
  end if;
  if not p_complete then
    return null;
  end if;
  return case
    when not p_settings ?& v_keys.required then format('%s: it is missing',
      (select k from unnest(v_keys.required) k where not p_settings ? k limit 1))
    when p_kind = 'ldap' and not p_settings -> 'attributes' ?& array['id', 'userName']
      then 'attributes: id and userName say who somebody is'
    when exists (
      select from unnest(v_keys.required) k
       where jsonb_typeof(p_settings -> k) = 'array' and jsonb_array_length(p_settings -> k) = 0)
      then 'a list that is needed is empty'
  end;
end;
$$;
comment on function private.provider_settings_problem(text, jsonb, boolean) is
  'What is wrong with a provider''s settings, as "key: why"; null when nothing is. p_complete: nothing needed may be missing either.';

create function private.url_host(p_url text, out scheme text, out host text, out port integer)
language sql immutable parallel safe set search_path = ''
as $$
  select part[1], lower(btrim(part[2], '[]')), coalesce(part[3]::integer,
      case part[1] when 'https' then 443 when 'http' then 80 when 'ldaps' then 636
        when 'ldap' then 389 end)
    from regexp_match(p_url,
      '^([a-z]+)://(\[[0-9A-Fa-f:.]+\]|[^/:?#@]+)(?::([0-9]{1,5}))?([/?#]|$)') part
$$;
comment on function private.url_host(text) is 'Scheme, host without brackets, and port of a URL.';

create function private.provider_hosts(
  p_kind text, p_settings jsonb, p_endpoints text[] default '{}'
) returns table (caller text, scheme text, host text, port integer)
language sql immutable parallel safe set search_path = ''
as $$
  select u.caller, h.scheme, h.host, h.port
    from (
      select 'zitadel' as caller, url from unnest(case p_kind
        when 'google' then array['https://accounts.google.com', 'https://oauth2.googleapis.com',
          'https://openidconnect.googleapis.com', 'https://www.googleapis.com']
        when 'github' then case when p_settings ? 'baseUrl' then array[p_settings ->> 'baseUrl']
          else array['https://github.com', 'https://api.github.com'] end
        when 'microsoft' then
          array['https://login.microsoftonline.com', 'https://graph.microsoft.com']
        when 'oidc' then array[p_settings ->> 'issuer'] || p_endpoints
        when 'ldap' then
          array(select jsonb_array_elements_text(coalesce(p_settings -> 'servers', '[]')))
        else '{}' end) url
      union
      -- Our own test of the connection: discovery, or the directory.
      select 'functions', url from unnest(case p_kind
        when 'google' then array['https://accounts.google.com', 'https://www.googleapis.com']
        when 'github' then array[coalesce(p_settings ->> 'baseUrl', 'https://github.com')]
        when 'microsoft' then array['https://login.microsoftonline.com']
        when 'oidc' then array[p_settings ->> 'issuer'] || p_endpoints
        when 'ldap' then
          array(select jsonb_array_elements_text(coalesce(p_settings -> 'servers', '[]')))
        else '{}' end) url
      union
      -- Where people are sent; nothing of ours goes there.
      select 'browser', url from unnest(case p_kind
        when 'google' then array['https://accounts.google.com']
        when 'github' then array[coalesce(p_settings ->> 'baseUrl', 'https://github.com')]
        when 'microsoft' then array['https://login.microsoftonline.com']
        when 'oidc' then array[p_settings ->> 'issuer'] || p_endpoints
        when 'saml' then array(
          select found[1] from regexp_matches(coalesce(p_settings ->> 'metadataXml', ''),
            '<(?:[A-Za-z0-9_]+:)?SingleSignOnService[^>]*Location="([^"]+)"', 'g') found)
        else '{}' end) url
    ) u, private.url_host(u.url) h
   where h.host is not null
$$;
comment on function private.provider_hosts(text, jsonb, text[]) is
  'Which hosts a provider of these settings means, and who goes there: zitadel, functions (the test of the connection), browser. p_endpoints: what its discovery named besides.';
