-- Where this installation goes, from what is configured now: what an operator lets through the wall, and nothing else.
-- Next: scripts/egress.ts (as Squid, nftables, Kubernetes and Cilium read it), docs/egress.md.

create function private.egress_addresses()
returns table (caller text, scheme text, host text, port integer, reason text)
language sql stable set search_path = ''
as $$
  -- ZITADEL is called by all of ours, and browsers are sent to it.
  select c.caller, h.scheme, h.host, h.port, 'zitadel'
    from private.url_host(private.zitadel_issuer()) h
    cross join unnest(array['functions', 'worker', 'browser']) as c (caller)
  union all
  -- The worker delivers; the function sends test events.
  select c.caller, h.scheme, h.host, h.port, format('webhook %s of %s', e.id, t.slug)
    from public.webhook_endpoints e
    join public.tenants t on t.id = e.tenant_id
    cross join unnest(array['functions', 'worker']) as c (caller), private.url_host(e.url) h
   where e.enabled and t.status <> 'archived'
  union all
  select 'worker', h.scheme, h.host, h.port, format('audit sink %s of %s', s.name, t.slug)
    from public.audit_sinks s
    join public.tenants t on t.id = s.tenant_id
    cross join lateral (
      select u.scheme, u.host, u.port from private.url_host(s.settings ->> 'url') u
       where s.kind = 'http'
      union all
      select case s.settings ->> 'transport' when 'tls' then 'tls' else 'tcp' end,
        lower(btrim(s.settings ->> 'host', '[]')), (s.settings ->> 'port')::integer
       where s.kind = 'syslog') h
   where s.enabled and t.status <> 'archived'
  union all
  select h.caller, h.scheme, h.host, h.port, format('provider %s of %s', p.name, t.slug)
    from public.providers p
    join public.tenants t on t.id = p.tenant_id
    cross join lateral private.provider_hosts(p.kind, p.settings, p.endpoints) h
   where p.enabled and t.status <> 'archived'
$$;
comment on function private.egress_addresses() is 'Every address that the configuration of now leads to, once for each reason.';

create function public.egress_allowlist()
returns table (host text, port integer, scheme text, caller text, reason text)
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.require_platform('settings.read');
  return query
    select distinct a.host, a.port, a.scheme, a.caller, a.reason
      from private.egress_addresses() a
     where a.host is not null
     order by a.host, a.port, a.caller, a.reason;
end;
$$;
comment on function public.egress_allowlist() is
  'Hosts and ports that this installation calls, who calls (zitadel, functions, worker; browser: people''s own) and why. Names are not resolved. Platform staff with settings.read. Raises not_allowed. Definer: reads across tenants, checks settings.read on the platform itself.';
