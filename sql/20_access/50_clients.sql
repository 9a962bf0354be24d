-- Which client a token came through, and what that client may let its user do: rights = assignment ∩ ceiling.
create table private.clients (
  issuer text not null,
  client_id text not null,
  kind text not null check (kind in ('portal', 'app')),
  tenant_id uuid references public.tenants on delete cascade,
  app_id uuid,
  primary key (issuer, client_id),
  check ((kind = 'app') = (tenant_id is not null)),
  check ((tenant_id is null) = (app_id is null))
);
create index clients_tenant_id_idx on private.clients (tenant_id);
comment on table private.clients is 'The OIDC clients whose tokens we take. Written by provisioning; service accounts are matched by sub instead.';
comment on column private.clients.kind is 'portal: every right the user holds. app: the user''s own profile and launcher, nothing else.';

create function private.client_may(p_right text) returns boolean
language plpgsql stable parallel safe set search_path = ''
as $$
begin
  return coalesce(current_setting('gatehouse.client_kind', true) in ('portal', 'service'), false);
end;
$$;
comment on function private.client_may(text) is 'The ceiling: whether the caller''s client may use a right at all. A tenant''s own application may use none.';

create function private.put_client(
  p_issuer text, p_client_id text, p_kind text, p_tenant uuid, p_app uuid
) returns void
language sql volatile security definer set search_path = ''
as $$
  insert into private.clients as c (issuer, client_id, kind, tenant_id, app_id)
  values (p_issuer, p_client_id, p_kind, p_tenant, p_app)
  on conflict (issuer, client_id) do update
    set kind = excluded.kind, tenant_id = excluded.tenant_id, app_id = excluded.app_id
    where (c.kind, c.tenant_id, c.app_id)
      is distinct from (excluded.kind, excluded.tenant_id, excluded.app_id)
$$;
comment on function private.put_client(text, text, text, uuid, uuid) is 'Notes a client and its ceiling; nothing is written when nothing differs. Definer: clients are private.';
