-- The hook: whoever PostgREST comes as. service_role too, so that the hook refuses it with its slug.
grant execute on function
  private.check_request(), private.authenticate(jsonb, text, text), private.request_header(text)
  to anon, authenticated, service_role, gatehouse_platform;

-- What policies ask.
grant execute on function private.tenants_with(text) to authenticated;
grant execute on function private.platform_has(text) to gatehouse_platform;

-- public.users: one's own row, whatever x-tenant-id says; users.read sees the people of the tenant. Nobody writes: ZITADEL's events do, and rpc.
alter table public.users enable row level security;
revoke all on public.users from public, anon, authenticated, service_role;
grant select on public.users to authenticated, gatehouse_platform;

create policy users_select_reader on public.users for select to authenticated
  using (id = (select private.current_user_id())
    or home_tenant_id = any (array(select private.tenants_with('users.read'))));
create policy users_select_platform on public.users for select to gatehouse_platform
  using ((select private.platform_has('users.read')) or id = (select private.current_user_id()));

-- public.rights, roles, role_rights: the same for everybody who signed in. Nobody writes: upgrades do.
alter table public.rights enable row level security;
alter table public.roles enable row level security;
alter table public.role_rights enable row level security;
revoke all on public.rights, public.roles, public.role_rights
  from public, anon, authenticated, service_role;
grant select on public.rights, public.roles, public.role_rights
  to authenticated, gatehouse_platform;

create policy rights_select_anybody on public.rights
  for select to authenticated, gatehouse_platform using (true);
create policy roles_select_anybody on public.roles
  for select to authenticated, gatehouse_platform using (true);
create policy role_rights_select_anybody on public.role_rights
  for select to authenticated, gatehouse_platform using (true);

-- public.assignments: access.read reads, access.write gives and takes. No update: a role is taken and another given, so that the log says both.
alter table public.assignments enable row level security;
revoke all on public.assignments from public, anon, authenticated, service_role;
grant select, insert (tenant_id, user_id, service_account_id, role_key), delete
  on public.assignments to authenticated, gatehouse_platform;

create policy assignments_select_reader on public.assignments for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('access.read'))));
create policy assignments_insert_writer on public.assignments for insert to authenticated
  with check (tenant_id = any (array(select private.tenants_with('access.write'))));
create policy assignments_delete_writer on public.assignments for delete to authenticated
  using (tenant_id = any (array(select private.tenants_with('access.write'))));
create policy assignments_select_platform on public.assignments for select to gatehouse_platform
  using ((select private.platform_has('access.read')));
create policy assignments_insert_platform on public.assignments for insert to gatehouse_platform
  with check ((select private.platform_has('access.write')));
create policy assignments_delete_platform on public.assignments for delete to gatehouse_platform
  using ((select private.platform_has('access.write')));

-- public.service_accounts: access.read reads, access.write makes, renames, disables. No delete: disable keeps the history readable. Issuer and subject are provisioning's.
alter table public.service_accounts enable row level security;
revoke all on public.service_accounts from public, anon, authenticated, service_role;
grant select, insert (tenant_id, name, enabled), update (name, enabled)
  on public.service_accounts to authenticated, gatehouse_platform;

create policy service_accounts_select_reader on public.service_accounts for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('access.read'))));
create policy service_accounts_insert_writer on public.service_accounts for insert to authenticated
  with check (tenant_id = any (array(select private.tenants_with('access.write'))));
create policy service_accounts_update_writer on public.service_accounts for update to authenticated
  using (tenant_id = any (array(select private.tenants_with('access.write'))))
  with check (tenant_id = any (array(select private.tenants_with('access.write'))));
create policy service_accounts_select_platform on public.service_accounts
  for select to gatehouse_platform using ((select private.platform_has('access.read')));
create policy service_accounts_insert_platform on public.service_accounts
  for insert to gatehouse_platform with check ((select private.platform_has('access.write')));
create policy service_accounts_update_platform on public.service_accounts
  for update to gatehouse_platform using ((select private.platform_has('access.write')))
  with check ((select private.platform_has('access.write')));

-- public.sign_in_sessions: one's own, whatever x-tenant-id says; users.read sees those of the tenant. Nobody writes: ZITADEL's events do.
alter table public.sign_in_sessions enable row level security;
revoke all on public.sign_in_sessions from public, anon, authenticated, service_role;
grant select on public.sign_in_sessions to authenticated, gatehouse_platform;

create policy sign_in_sessions_select_reader on public.sign_in_sessions for select to authenticated
  using (user_id = (select private.current_user_id())
    or tenant_id = any (array(select private.tenants_with('users.read'))));
create policy sign_in_sessions_select_platform on public.sign_in_sessions
  for select to gatehouse_platform
  using ((select private.platform_has('users.read'))
    or user_id = (select private.current_user_id()));

grant execute on function public.whoami() to anon, authenticated, gatehouse_platform;
grant execute on function public.start_session() to authenticated, gatehouse_platform;
grant execute on function public.sign_out_everywhere(uuid) to authenticated, gatehouse_platform;

grant execute on function
  private.settle_administrator(uuid, bigint, text, text, jsonb),
  private.put_client(text, text, text, uuid, uuid)
  to gatehouse_provision, gatehouse_worker;
grant execute on function private.put_hint() to gatehouse_provision;
grant execute on function
  private.count_refused_sign_in(uuid, text, text, text, timestamptz, jsonb),
  private.take_widget_permit(uuid, text, text, text),
  private.give_back_widget_permit(uuid, text, text, text)
  to gatehouse_functions;
grant execute on function
  private.record_refused_sign_ins(), private.forget_widget_permits(integer)
  to gatehouse_worker;
grant execute on function
  private.zitadel_cursor(), private.ingest_zitadel_events(jsonb)
  to gatehouse_worker;
