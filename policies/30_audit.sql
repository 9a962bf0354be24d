-- public.audit_events: audit.read reads. Nobody inserts, updates or deletes: private.record_event writes, as its owner.
alter table public.audit_events enable row level security;
revoke all on public.audit_events from public, anon, authenticated, service_role;
grant select on public.audit_events to authenticated, gatehouse_platform;

create policy audit_events_select_reader on public.audit_events for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('audit.read'))));
create policy audit_events_select_platform on public.audit_events for select to gatehouse_platform
  using ((select private.platform_has('audit.read')));

-- private.audit_personal: nobody; list_events and personal_values read it for who has audit.read.
grant execute on function public.personal_values(public.audit_events)
  to authenticated, gatehouse_platform;

-- public.legal_holds: audit.read reads. Nobody writes: place_legal_hold and lift_legal_hold do, for platform staff.
alter table public.legal_holds enable row level security;
revoke all on public.legal_holds from public, anon, authenticated, service_role;
grant select on public.legal_holds to authenticated, gatehouse_platform;

create policy legal_holds_select_reader on public.legal_holds for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('audit.read'))));
create policy legal_holds_select_platform on public.legal_holds for select to gatehouse_platform
  using ((select private.platform_has('audit.read')));

grant execute on function public.place_legal_hold(uuid, text), public.lift_legal_hold(uuid)
  to gatehouse_platform;
grant execute on function public.erase_person(uuid), public.export_person(uuid)
  to authenticated, gatehouse_platform;
grant execute on function private.erased_subject(uuid) to gatehouse_worker;

-- private.audit_tombstones: nobody; the nightly job is the only way in, and what it may remove the settings and the worker's environment say.
grant execute on function
  private.drop_audit_month(integer, jsonb), private.remove_old_values(integer),
  private.list_unsigned_tombstones(), private.list_leaf_hashes(uuid, bigint, bigint),
  private.report_refused_removal(uuid, bigint, text)
  to gatehouse_worker;

-- public.event_types: the catalogue, for everybody who signed in. Nobody writes: upgrades do.
alter table public.event_types enable row level security;
revoke all on public.event_types from public, anon, authenticated, service_role;
grant select on public.event_types to authenticated, gatehouse_platform;

create policy event_types_select_anybody on public.event_types
  for select to authenticated, gatehouse_platform using (true);

-- public.custom_event_types: events.read reads, events.write registers and changes. No delete: the log holds events of them.
alter table public.custom_event_types enable row level security;
revoke all on public.custom_event_types from public, anon, authenticated, service_role;
grant select, insert (tenant_id, name, description, schema), update (description, schema)
  on public.custom_event_types to authenticated, gatehouse_platform;

create policy custom_event_types_select_reader on public.custom_event_types
  for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('events.read'))));
create policy custom_event_types_insert_writer on public.custom_event_types
  for insert to authenticated
  with check (tenant_id = any (array(select private.tenants_with('events.write'))));
create policy custom_event_types_update_writer on public.custom_event_types
  for update to authenticated
  using (tenant_id = any (array(select private.tenants_with('events.write'))))
  with check (tenant_id = any (array(select private.tenants_with('events.write'))));
create policy custom_event_types_select_platform on public.custom_event_types
  for select to gatehouse_platform using ((select private.platform_has('events.read')));
create policy custom_event_types_insert_platform on public.custom_event_types
  for insert to gatehouse_platform with check ((select private.platform_has('events.write')));
create policy custom_event_types_update_platform on public.custom_event_types
  for update to gatehouse_platform using ((select private.platform_has('events.write')))
  with check ((select private.platform_has('events.write')));

grant execute on function
  private.event_schema_problem(jsonb, boolean, text),
  private.begin_custom_event(uuid, text, text, jsonb),
  private.record_custom_event(
    uuid, text, integer, jsonb, jsonb, timestamptz, text, jsonb, jsonb, jsonb)
  to authenticated, gatehouse_platform;
grant execute on function private.forget_event_requests(integer) to gatehouse_worker;

grant execute on function public.list_events(uuid, bigint, integer, text[])
  to authenticated, gatehouse_platform;
grant execute on function private.sequence_events(integer), private.create_partitions()
  to gatehouse_worker;

-- public.audit_sinks: audit.read reads, audit.write changes. No insert: the audit function makes one with its secret.
-- No delete: disable keeps the history readable. What the worker finds out is nobody's to write.
alter table public.audit_sinks enable row level security;
revoke all on public.audit_sinks from public, anon, authenticated, service_role;
grant select, update (name, enabled) on public.audit_sinks to authenticated, gatehouse_platform;

create policy audit_sinks_select_reader on public.audit_sinks for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('audit.read'))));
create policy audit_sinks_update_writer on public.audit_sinks for update to authenticated
  using (tenant_id = any (array(select private.tenants_with('audit.write'))))
  with check (tenant_id = any (array(select private.tenants_with('audit.write'))));
create policy audit_sinks_select_platform on public.audit_sinks for select to gatehouse_platform
  using ((select private.platform_has('audit.read')));
create policy audit_sinks_update_platform on public.audit_sinks for update to gatehouse_platform
  using ((select private.platform_has('audit.write')))
  with check ((select private.platform_has('audit.write')));

grant execute on function
  public.rewind_audit_sink(uuid, uuid, timestamptz),
  public.skip_audit_sink_event(uuid, uuid, bigint), public.sink_lag(public.audit_sinks),
  private.create_audit_sink(uuid, uuid, text, text, jsonb, timestamptz, text, bytea),
  private.open_sink_secret(uuid, uuid),
  private.rotate_sink_secret(uuid, uuid, text, bytea, integer)
  to authenticated, gatehouse_platform;
grant execute on function
  private.find_due_sinks(integer), private.claim_sink_events(uuid, uuid, integer, integer),
  private.note_dropped_events(uuid, uuid, jsonb),
  private.settle_sink_events(uuid, uuid, bigint, bigint, jsonb),
  private.settle_sink_failure(uuid, uuid, jsonb, integer)
  to gatehouse_worker;

-- private.audit_leaves, audit_trees, audit_signatures, audit_checkpoints, audit_keys, audit_sealer: no role at run time; the functions below are the way in.
grant execute on function public.verify_audit(uuid, bigint, bigint)
  to authenticated, gatehouse_platform;
grant execute on function
  private.seal_events(integer), private.list_unsigned(integer, uuid[]),
  private.store_signatures(uuid, bigint, bytea, bytea, bytea, text, text),
  private.announce_audit_key(text, text, text), private.list_checkpoints(),
  private.report_fork(uuid, bigint, bigint),
  private.audit_lag(boolean, uuid[]), private.report_seal_lag(jsonb)
  to gatehouse_worker;
grant execute on function public.audit_lag() to gatehouse_platform;

-- public.audit_exports: audit.read reads. Nobody writes: rpc/request_audit_export makes one, the worker carries it out.
alter table public.audit_exports enable row level security;
revoke all on public.audit_exports from public, anon, authenticated, service_role;
grant select on public.audit_exports to authenticated, gatehouse_platform;

create policy audit_exports_select_reader on public.audit_exports for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('audit.read'))));
create policy audit_exports_select_platform on public.audit_exports for select to gatehouse_platform
  using ((select private.platform_has('audit.read')));

grant execute on function
  public.request_audit_export(uuid, timestamptz, timestamptz, text, text[], text, text),
  private.open_audit_export(uuid)
  to authenticated, gatehouse_platform;
grant execute on function
  private.begin_export(uuid, uuid), private.list_export_leaves(uuid, bigint, bigint),
  private.list_export_events(
    uuid, bigint, bigint, timestamptz, timestamptz, text[], text, text, integer),
  private.progress_export(uuid, uuid, bigint),
  private.settle_export(uuid, uuid, bigint, bigint, text),
  private.fail_export(uuid, uuid, jsonb), private.expire_exports()
  to gatehouse_worker;
