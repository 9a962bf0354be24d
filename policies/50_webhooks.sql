-- public.webhook_endpoints: webhooks.read reads, webhooks.write changes. No insert: the webhooks function makes one with its secret.
-- No delete: disable keeps the history readable, and so does removing (private.remove_webhook_endpoint): then nobody sees or changes the row again.
alter table public.webhook_endpoints enable row level security;
revoke all on public.webhook_endpoints from public, anon, authenticated, service_role;
-- url is judged by the door, and signature_scheme, public_key and header_names change with what is sealed: through the function.
grant select, update (
    description, event_types, enabled, disabled_reason, retry_schedule, ordering, rate_per_second,
    payload_filter)
  on public.webhook_endpoints to authenticated, gatehouse_platform;
-- constraints and the filter's trigger run as who writes; none reads a table
grant execute on function
  private.retry_schedule_holds(integer[]), private.header_names_hold(text[]),
  private.event_types_hold(text[]), private.payload_filter_problem(text)
  to authenticated, gatehouse_platform;

create policy webhook_endpoints_select_reader on public.webhook_endpoints
  for select to authenticated
  using (removed_at is null
    and tenant_id = any (array(select private.tenants_with('webhooks.read'))));
create policy webhook_endpoints_update_writer on public.webhook_endpoints
  for update to authenticated
  using (removed_at is null
    and tenant_id = any (array(select private.tenants_with('webhooks.write'))))
  with check (tenant_id = any (array(select private.tenants_with('webhooks.write'))));
create policy webhook_endpoints_select_platform on public.webhook_endpoints
  for select to gatehouse_platform
  using (removed_at is null and (select private.platform_has('webhooks.read')));
create policy webhook_endpoints_update_platform on public.webhook_endpoints
  for update to gatehouse_platform
  using (removed_at is null and (select private.platform_has('webhooks.write')))
  with check ((select private.platform_has('webhooks.write')));

-- public.webhook_endpoint_states, webhook_deliveries, webhook_attempts: webhooks.read reads. Nobody writes: triggers and the worker do.
alter table public.webhook_endpoint_states enable row level security;
alter table public.webhook_deliveries enable row level security;
alter table public.webhook_attempts enable row level security;
revoke all
  on public.webhook_endpoint_states, public.webhook_deliveries, public.webhook_attempts
  from public, anon, authenticated, service_role;
grant select
  on public.webhook_endpoint_states, public.webhook_deliveries, public.webhook_attempts
  to authenticated, gatehouse_platform;

create policy webhook_endpoint_states_select_reader on public.webhook_endpoint_states
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('webhooks.read'))));
create policy webhook_endpoint_states_select_platform on public.webhook_endpoint_states
  for select to gatehouse_platform using ((select private.platform_has('webhooks.read')));

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
  private.create_webhook_endpoint(uuid, uuid, jsonb, jsonb),
  private.rotate_webhook_secret(uuid, uuid, text, text, jsonb, integer),
  private.put_webhook_headers(uuid, uuid, text[], text, bytea),
  private.open_webhook_endpoint(uuid, uuid),
  private.move_webhook_endpoint(uuid, uuid, text, boolean),
  private.remove_webhook_endpoint(uuid, uuid),
  private.begin_webhook_test(uuid, uuid, text),
  private.record_webhook_test(uuid, uuid, integer, text)
  to authenticated, gatehouse_platform;
-- invokers: row level security decides which attempts are counted and shown
grant execute on function
  public.webhook_statistics(uuid, uuid, date, date),
  public.webhook_attempts(public.webhook_deliveries)
  to authenticated, gatehouse_platform;
grant execute on function
  private.find_due_endpoints(integer), private.catch_up_endpoints(integer),
  private.cancel_stranded_deliveries(integer),
  private.claim_deliveries(uuid, uuid, uuid, integer, integer, jsonb),
  private.let_go_of_endpoint(uuid, uuid, uuid), private.stop_slow_filter(uuid, uuid),
  private.settle_deliveries(uuid, uuid, jsonb), private.settle_pace(uuid, uuid, numeric),
  private.retain_deliveries(integer)
  to gatehouse_worker;

-- public.dead_letters: a view of deliveries, as its caller sees them. Replay and resume: webhooks.write, asked by each function itself.
revoke all on public.dead_letters from public, anon, authenticated, service_role;
grant select on public.dead_letters to authenticated, gatehouse_platform;
grant execute on function
  public.replay_delivery(uuid, uuid),
  public.replay_deliveries(uuid, uuid, text[], timestamptz, timestamptz, text[], boolean),
  public.replay_missed(uuid, uuid, timestamptz, boolean),
  public.resume_endpoint(uuid, uuid)
  to authenticated, gatehouse_platform;

-- public.webhook_attempt_log, webhook_endpoint_statistics: views of endpoints, states, deliveries and attempts, as their caller sees those.
revoke all on public.webhook_attempt_log, public.webhook_endpoint_statistics
  from public, anon, authenticated, service_role;
grant select on public.webhook_attempt_log, public.webhook_endpoint_statistics
  to authenticated, gatehouse_platform;
