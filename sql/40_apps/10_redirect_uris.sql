-- What may stand in a redirect or post-logout URI (RFC 6749, section 3.1.2; RFC 8252; OAuth 2.0 Security BCP, RFC 9700): https or loopback, exact, no wildcard, no fragment.

create function private.redirect_uri_problem(p_uri text, p_kind text) returns text
language sql stable parallel safe set search_path = ''
as $$
  select case
    when p_uri is null or p_uri = '' then 'it is empty'
    when length(p_uri) > 500 then 'it is longer than 500 characters'
    when p_uri ~ '[[:space:][:cntrl:]\\]'
      then 'it has white space, a control character or a backslash'
    when p_uri ~ '[^!-~]'
      then 'it has characters outside ASCII; write them percent-encoded or as punycode'
    when p_uri like '%#%' then 'it has a fragment'
    when p_uri like '%*%' then 'it has a wildcard; list each address'
    when p_uri ~ '["<>^`{|}]' or regexp_replace(p_uri, '^https?://\[[^]]*\]', '') ~ '[][]'
      then 'it has a character that a URI writes percent-encoded (RFC 3986, section 2)'
    when p_uri !~ '^[a-z][a-z0-9+.-]*:' then 'it has no scheme in lower case'
    when p_uri ~ '^https?:' and p_uri !~ '^https?://[^/?@]+([/?]|$)'
      then 'it has no host, or a user name in front of the host'
    when p_uri ~ '^https?:' then private.web_uri_problem(p_uri)
    when p_kind <> 'native' then 'a scheme other than https is for native applications only'
    when p_uri !~ '^[a-z0-9-]+(\.[a-z0-9-]+)+:/'
      then 'a private scheme is a reversed domain, such as com.example.app:/callback '
        || '(RFC 8252, section 7.1)'
  end
$$;
comment on function private.redirect_uri_problem(text, text) is 'Why a URI may not be a redirect URI of an application of this kind; null when it may.';

-- What a browser would read differently is refused: 0x7f.1 and 2130706433 are addresses to it, %2e%2e goes up, :443 goes away.
create function private.web_uri_problem(p_uri text) returns text
language sql stable parallel safe set search_path = ''
as $$
  select case
    when host !~ '^\[[0-9a-f:]+\]$'
      and host !~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'
      then 'its host is malformed; a host is written in lower case'
    when host ~ '^\[' and not pg_input_is_valid(btrim(host, '[]'), 'inet')
      then 'its IPv6 address is malformed'
    when host ~ '^\[' and host(btrim(host, '[]')::inet) <> btrim(host, '[]')
      then 'its IPv6 address is not written in its short form (RFC 5952)'
    when host ~ '(^|\.)([0-9]+|0x[0-9a-f]*)$' and not (
      host ~ '^([0-9]{1,3}\.){3}[0-9]{1,3}$' and pg_input_is_valid(host, 'inet')
      and host !~ '(^|\.)0[0-9]')
      then 'its host is a number; an IPv4 address is four decimal numbers'
    when rest !~ '^(:[1-9][0-9]{0,4})?([/?]|$)'
      or coalesce(substring(rest from '^:([0-9]+)')::integer, 0) > 65535
      then 'its port is malformed'
    when rest ~ '^[^?]*/(\.|%2[Ee]){1,2}(/|\?|$)' then 'its path has dot segments'
    when rest ~ '%(?![0-9A-Fa-f]{2})' then 'it has a broken percent-encoding'
    when p_uri ~ '^http:' and host not in ('127.0.0.1', '[::1]', 'localhost')
      then 'http is for loopback only; use https'
  end
  from (
    select part[1] as host, part[2] as rest
      from regexp_match(p_uri, '^https?://(\[[^]]*\]|[^/?:]*)(.*)$') part) x
$$;
comment on function private.web_uri_problem(text) is 'Why an https or http URI may not be a redirect URI; null when it may.';

create function private.tg_apps__lint_uris() returns trigger
language plpgsql stable set search_path = ''
as $$
declare
  v_uri text;
  v_problem text;
begin
  foreach v_uri in array new.redirect_uris || new.post_logout_uris loop
    v_problem := private.redirect_uri_problem(v_uri, new.kind);
    if v_problem is not null then
      raise exception using errcode = 'PT422', message = 'redirect_uri_refused',
        detail = format('Cannot use redirect URI "%s": %s', v_uri, v_problem);
    end if;
  end loop;
  select min(u) into v_uri from unnest(new.redirect_uris) u group by u having count(*) > 1;
  if v_uri is null then
    select min(u) into v_uri from unnest(new.post_logout_uris) u group by u having count(*) > 1;
  end if;
  if v_uri is not null then
    raise exception using errcode = 'PT422', message = 'redirect_uri_refused',
      detail = format('Cannot use redirect URI "%s": it is listed twice', v_uri);
  end if;
  return new;
end;
$$;
comment on function private.tg_apps__lint_uris() is 'Raises redirect_uri_refused with the reason.';
