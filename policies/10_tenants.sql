-- public.tenants: who holds tenants.read reads; a tenant's tenants.write changes its name, branding and retention; platform staff make tenants.
-- No delete: archive keeps the history readable. Status, ZITADEL's ids and login_domain are provisioning's; kind is the seed's.
alter table public.tenants enable row level security;
revoke all on public.tenants from public, anon, authenticated, service_role;
grant select, update (name, branding, personal_retention_days)
  on public.tenants to authenticated;
grant select,
  insert (slug, name, plan, branding, admin_email, admin_given_name, admin_family_name),
  update (name, plan, branding, personal_retention_days,
    admin_email, admin_given_name, admin_family_name)
  on public.tenants to gatehouse_platform;

create policy tenants_select_reader on public.tenants for select to authenticated
  using (id = any (array(select private.tenants_with('tenants.read'))));
create policy tenants_update_writer on public.tenants for update to authenticated
  using (id = any (array(select private.tenants_with('tenants.write'))))
  with check (id = any (array(select private.tenants_with('tenants.write'))));
create policy tenants_select_platform on public.tenants for select to gatehouse_platform
  using ((select private.platform_has('tenants.read')));
create policy tenants_insert_platform on public.tenants for insert to gatehouse_platform
  with check ((select private.platform_has('tenants.write')));
create policy tenants_update_platform on public.tenants for update to gatehouse_platform
  using ((select private.platform_has('tenants.write')))
  with check ((select private.platform_has('tenants.write')));

-- public.tenant_domains: tenants.read reads, tenants.write claims and gives up. No update: verified_at is not the caller's, and a name is claimed anew.
alter table public.tenant_domains enable row level security;
revoke all on public.tenant_domains from public, anon, authenticated, service_role;
grant select, insert (tenant_id, name, verification), delete
  on public.tenant_domains to authenticated, gatehouse_platform;

create policy tenant_domains_select_reader on public.tenant_domains for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('tenants.read'))));
create policy tenant_domains_insert_writer on public.tenant_domains for insert to authenticated
  with check (tenant_id = any (array(select private.tenants_with('tenants.write'))));
create policy tenant_domains_delete_writer on public.tenant_domains for delete to authenticated
  using (tenant_id = any (array(select private.tenants_with('tenants.write'))));
create policy tenant_domains_select_platform on public.tenant_domains
  for select to gatehouse_platform
  using ((select private.platform_has('tenants.read')));
create policy tenant_domains_insert_platform on public.tenant_domains
  for insert to gatehouse_platform
  with check ((select private.platform_has('tenants.write')));
create policy tenant_domains_delete_platform on public.tenant_domains
  for delete to gatehouse_platform
  using ((select private.platform_has('tenants.write')));

-- public.subscriptions: tenants.read reads; platform staff write, since a plan is what the platform sells. No delete: a period ends.
alter table public.subscriptions enable row level security;
revoke all on public.subscriptions from public, anon, authenticated, service_role;
grant select on public.subscriptions to authenticated;
grant select, insert (tenant_id, plan, starts_at, ends_at), update (plan, starts_at, ends_at)
  on public.subscriptions to gatehouse_platform;

create policy subscriptions_select_reader on public.subscriptions for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('tenants.read'))));
create policy subscriptions_select_platform on public.subscriptions for select to gatehouse_platform
  using ((select private.platform_has('tenants.read')));
create policy subscriptions_insert_platform on public.subscriptions for insert to gatehouse_platform
  with check ((select private.platform_has('tenants.write')));
create policy subscriptions_update_platform on public.subscriptions for update to gatehouse_platform
  using ((select private.platform_has('tenants.write')))
  with check ((select private.platform_has('tenants.write')));

-- public.provisioning_steps: tenants.read reads; nobody writes, provisioning does.
alter table public.provisioning_steps enable row level security;
revoke all on public.provisioning_steps from public, anon, authenticated, service_role;
grant select on public.provisioning_steps to authenticated, gatehouse_platform;

create policy provisioning_steps_select_reader on public.provisioning_steps
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('tenants.read'))));
create policy provisioning_steps_select_platform on public.provisioning_steps
  for select to gatehouse_platform using ((select private.platform_has('tenants.read')));

grant execute on function
  public.create_tenant(text, text, text, jsonb, jsonb), public.suspend_tenant(uuid),
  public.resume_tenant(uuid), public.archive_tenant(uuid),
  private.change_status(uuid, text[], text)
  to gatehouse_platform;
grant execute on function public.reconcile_tenant(uuid) to authenticated, gatehouse_platform;

grant execute on function
  private.lease_tenant(uuid, text, integer), private.release_tenant(uuid, bigint),
  private.provisioning_input(uuid), private.start_step(uuid, bigint, text),
  private.settle_step(uuid, bigint, text, text, text, text, jsonb),
  private.settle_organization(uuid, bigint, text)
  to gatehouse_provision, gatehouse_worker;
grant execute on function private.enqueue(text, jsonb, text, timestamptz) to gatehouse_worker;
