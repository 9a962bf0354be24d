-- public.apps: who holds apps.read reads, who holds apps.write makes and changes. No delete: disable keeps the history readable.
-- kind is set once: a secret cannot turn public. State and ZITADEL's ids are provisioning's.
alter table public.apps enable row level security;
revoke all on public.apps from public, anon, authenticated, service_role;
grant select,
  insert (tenant_id, name, kind, redirect_uris, post_logout_uris, enabled, inline_enabled),
  update (name, redirect_uris, post_logout_uris, enabled, inline_enabled)
  on public.apps to authenticated, gatehouse_platform;

create policy apps_select_reader on public.apps for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('apps.read'))));
create policy apps_insert_writer on public.apps for insert to authenticated
  with check (tenant_id = any (array(select private.tenants_with('apps.write'))));
create policy apps_update_writer on public.apps for update to authenticated
  using (tenant_id = any (array(select private.tenants_with('apps.write'))))
  with check (tenant_id = any (array(select private.tenants_with('apps.write'))));
create policy apps_select_platform on public.apps for select to gatehouse_platform
  using ((select private.platform_has('apps.read')));
create policy apps_insert_platform on public.apps for insert to gatehouse_platform
  with check ((select private.platform_has('apps.write')));
create policy apps_update_platform on public.apps for update to gatehouse_platform
  using ((select private.platform_has('apps.write')))
  with check ((select private.platform_has('apps.write')));

-- public.providers: providers.read reads, providers.write makes, changes and removes. kind is set once; secrets come by the provision function,
-- state, endpoints and ZITADEL's id are provisioning's.
alter table public.providers enable row level security;
revoke all on public.providers from public, anon, authenticated, service_role;
grant select, delete,
  insert (tenant_id, name, kind, settings, linking_allowed, creation_allowed, auto_creation,
    auto_update, auto_linking, domains, enabled),
  update (name, settings, linking_allowed, creation_allowed, auto_creation, auto_update,
    auto_linking, domains, enabled)
  on public.providers to authenticated, gatehouse_platform;

create policy providers_select_reader on public.providers for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('providers.read'))));
create policy providers_insert_writer on public.providers for insert to authenticated
  with check (tenant_id = any (array(select private.tenants_with('providers.write'))));
create policy providers_update_writer on public.providers for update to authenticated
  using (tenant_id = any (array(select private.tenants_with('providers.write'))))
  with check (tenant_id = any (array(select private.tenants_with('providers.write'))));
create policy providers_delete_writer on public.providers for delete to authenticated
  using (tenant_id = any (array(select private.tenants_with('providers.write'))));
create policy providers_delete_platform on public.providers for delete to gatehouse_platform
  using ((select private.platform_has('providers.write')));
create policy providers_select_platform on public.providers for select to gatehouse_platform
  using ((select private.platform_has('providers.read')));
create policy providers_insert_platform on public.providers for insert to gatehouse_platform
  with check ((select private.platform_has('providers.write')));
create policy providers_update_platform on public.providers for update to gatehouse_platform
  using ((select private.platform_has('providers.write')))
  with check ((select private.platform_has('providers.write')));

grant execute on function
  private.redirect_uri_problem(text, text), private.web_uri_problem(text)
  to authenticated, gatehouse_platform;
grant execute on function
  private.settle_app(uuid, bigint, uuid, text, text, text, jsonb)
  to gatehouse_provision, gatehouse_worker;
grant execute on function
  private.widget_client(text), private.widget_tenant(text), private.find_login_organization(text),
  private.is_app_origin(text), private.is_administrator(text)
  to gatehouse_functions;
grant execute on function private.begin_app_secret(uuid, uuid) to authenticated, gatehouse_platform;
grant execute on function
  private.put_provider_secret(uuid, uuid, text, bytea), private.open_provider(uuid, uuid),
  private.note_provider_endpoints(uuid, uuid, text[])
  to authenticated, gatehouse_platform;
grant execute on function
  private.provider_secret(uuid, uuid), private.forget_removed_provider(uuid, bigint, uuid),
  private.settle_provider(uuid, bigint, uuid, text, text, jsonb, timestamptz)
  to gatehouse_provision, gatehouse_worker;
grant execute on function private.sign_in_providers(uuid) to gatehouse_functions;
