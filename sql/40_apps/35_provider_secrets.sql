-- A provider's secret on its way to ZITADEL: sealed here from the request that brought it until ZITADEL has taken it, then gone.
create table private.provider_secrets (
  tenant_id uuid not null,
  provider_id uuid not null,
  key_id text not null,
  ciphertext bytea not null,
  set_at timestamptz not null,
  primary key (tenant_id, provider_id),
  foreign key (tenant_id, provider_id)
    references public.providers (tenant_id, id) on delete cascade
);
comment on table private.provider_secrets is
  'Client secrets and bind passwords that ZITADEL does not have yet, AES-256-GCM by functions/_shared/secrets.ts; additional data: provider_secrets|<tenant>|<provider>. '
  'Removed by the saga once ZITADEL has them: making a provider again then takes its secret again.';

create function private.put_provider_secret(
  p_tenant uuid, p_provider uuid, p_key_id text, p_ciphertext bytea
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_now timestamptz := date_trunc('milliseconds', clock_timestamp()); -- what a JavaScript Date can hand back
begin
  perform private.require_right(p_tenant, 'providers.write');
  update public.providers set credential_set_at = v_now
   where tenant_id = p_tenant and id = p_provider and kind <> 'saml';
  if not found then
    perform private.refuse(404, 'provider_not_found', format('There is no provider %s with a secret in tenant %s', p_provider, p_tenant));
  end if;
  insert into private.provider_secrets (tenant_id, provider_id, key_id, ciphertext, set_at)
  values (p_tenant, p_provider, p_key_id, p_ciphertext, v_now)
  on conflict (tenant_id, provider_id) do update
    set key_id = excluded.key_id, ciphertext = excluded.ciphertext, set_at = excluded.set_at;
end;
$$;
comment on function private.put_provider_secret(uuid, uuid, text, bytea) is
  'Keeps a provider''s sealed secret until ZITADEL has it. Raises not_allowed, provider_not_found. Definer: secrets are private; checks providers.write itself.';

create function private.provider_secret(p_tenant uuid, p_provider uuid) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object('keyId', key_id, 'setAt', set_at,
      'ciphertext', translate(encode(ciphertext, 'base64'), E'\n', ''))
    from private.provider_secrets where tenant_id = p_tenant and provider_id = p_provider
$$;
comment on function private.provider_secret(uuid, uuid) is '{keyId, ciphertext (base64), setAt}, or null: ZITADEL has it, or nobody has. Definer: secrets are private; runs for the saga.';
