-- public.webhook_endpoints: webhooks.read reads, webhooks.write changes. No insert: the webhooks function makes one with its secret.
-- No delete: disable keeps the history readable.
alter table public.webhook_endpoints enable row level security;
revoke all on public.webhook_endpoints from public, anon, authenticated, service_role;
grant select, update (description, event_types, enabled, disabled_reason, max_attempts)
  on public.webhook_endpoints to authenticated, gatehouse_platform;

create policy webhook_endpoints_select_reader on public.webhook_endpoints
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('webhooks.read'))));
create policy webhook_endpoints_update_writer on public.webhook_endpoints
  for update to authenticated
  using (tenant_id = any (array(select private.tenants_with('webhooks.write'))))
  with check (tenant_id = any (array(select private.tenants_with('webhooks.write'))));
create policy webhook_endpoints_select_platform on public.webhook_endpoints
  for select to gatehouse_platform using ((select private.platform_has('webhooks.read')));
create policy webhook_endpoints_update_platform on public.webhook_endpoints
  for update to gatehouse_platform using ((select private.platform_has('webhooks.write')))
  with check ((select private.platform_has('webhooks.write')));

-- public.webhook_deliveries, webhook_attempts: webhooks.read reads. Nobody writes: the trigger and the worker do.
alter table public.webhook_deliveries enable row level security;
alter table public.webhook_attempts enable row level security;
revoke all on public.webhook_deliveries, public.webhook_attempts
  from public, anon, authenticated, service_role;
grant select on public.webhook_deliveries, public.webhook_attempts
  to authenticated, gatehouse_platform;

create policy webhook_deliveries_select_reader on public.webhook_deliveries
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('webhooks.read'))));
create policy webhook_deliveries_select_platform on public.webhook_deliveries
  for select to gatehouse_platform using ((select private.platform_has('webhooks.read')));
create policy webhook_attempts_select_reader on public.webhook_attempts for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('webhooks.read'))));
create policy webhook_attempts_select_platform on public.webhook_attempts
  for select to gatehouse_platform using ((select private.platform_has('webhooks.read')));

grant execute on function
  private.new_id(),
  private.create_webhook_endpoint(uuid, uuid, text, text, text[], timestamptz, text, bytea),
  private.rotate_webhook_secret(uuid, uuid, text, bytea, integer),
  private.open_webhook_endpoint(uuid, uuid)
  to authenticated, gatehouse_platform;
grant execute on function
  private.find_due_endpoints(integer), private.claim_deliveries(uuid, uuid, integer, integer),
  private.settle_deliveries(uuid, uuid, jsonb)
  to gatehouse_worker;
