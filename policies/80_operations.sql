-- public.settings: platform staff only. Secrets of the instance are in private.sealed_settings.
alter table public.settings enable row level security;
revoke all on public.settings from public, anon, authenticated, service_role;
grant select, update (value) on public.settings to gatehouse_platform;

create policy settings_select_platform on public.settings for select to gatehouse_platform
  using ((select private.platform_has('settings.read')));
create policy settings_update_platform on public.settings for update to gatehouse_platform
  using ((select private.platform_has('settings.write')))
  with check ((select private.platform_has('settings.write')));

grant execute on function private.pgrst_config() to authenticator;
grant execute on function private.list_verification_keys(), private.list_issuers()
  to gatehouse_functions, gatehouse_provision, gatehouse_worker, gatehouse_gateway;
grant execute on function
  private.get_setting(text), private.put_setting(text, jsonb),
  private.put_issuer(text, text, text, text), private.put_verification_keys(text, jsonb),
  private.get_sealed_setting(text), private.put_sealed_setting(text, text, bytea)
  to gatehouse_provision, gatehouse_worker;
grant execute on function
  private.public_config(), private.get_setting(text), private.get_sealed_setting(text)
  to gatehouse_functions;
grant execute on function private.unlock_dead_workers(), private.find_stuck_tenants(integer)
  to gatehouse_worker;
grant execute on function public.egress_allowlist() to gatehouse_platform;
-- For scripts/secrets_rotate.ts: the worker's role, since its process holds the key and opens most of these rows anyway.
grant execute on function
  private.sealed_tables(), private.list_sealed(text, text, bytea, integer),
  private.replace_sealed(text, jsonb)
  to gatehouse_worker;
