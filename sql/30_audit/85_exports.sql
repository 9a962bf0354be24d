-- audit_exports: a part of one tenant's log as a file to take away. Made by rpc/request_audit_export, written by a job, fetched at GET /functions/v1/audit/exports/<id>.
-- Next: 87_export_job.sql (the worker's side), functions/_worker/tasks/audit__export.ts (who writes), functions/audit/app.ts (who hands it out).
create table public.audit_exports (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  format text not null constraint export_format_unknown check (format in ('jsonl', 'csv')),
  since_at timestamptz,
  until_at timestamptz,
  types text[] constraint event_types_malformed check (
    cardinality(types) between 1 and 100
    and array_to_string(types, '|') || '|' ~ '^([a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?\|)+$'),
  actor_id text check (length(actor_id) between 1 and 200),
  target_id text check (length(target_id) between 1 and 200),
  state text not null default 'pending'
    check (state in ('pending', 'running', 'ready', 'failed', 'expired')),
  requested_by jsonb not null,
  records_done bigint not null default 0,
  records_total bigint,
  complete boolean,
  size_bytes bigint,
  sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
  failures integer not null default 0,
  last_error jsonb,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  expires_at timestamptz,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint export_period_empty check (until_at > since_at),
  constraint export_filter_unprovable check (
    format = 'csv' or types is null and actor_id is null and target_id is null)
);
comment on table public.audit_exports is 'A file with a part of a tenant''s log, and how far it is.';
comment on column public.audit_exports.format is
  'jsonl: the sealed records with signatures, checkpoint and proof, for deno task audit:verify; ends at a checkpoint, so it may hold a little more than was asked for. csv: flat, for reading, proves nothing.';
comment on column public.audit_exports.since_at is 'Events recorded from then on; null: from the first that is kept.';
comment on column public.audit_exports.until_at is 'Events recorded before; null: until it was asked for.';
comment on column public.audit_exports.types is
  'Of these types and prefixes such as tenant.* only; null: of every type. As actor_id and target_id for csv only: a proof takes every record.';
comment on column public.audit_exports.actor_id is 'What this actor did only; null: whoever it was.';
comment on column public.audit_exports.target_id is
  'What has this among its targets only; null: whatever it was about.';
comment on column public.audit_exports.records_total is
  'Null while it is not known, as of a filtered export until it is ready.';
comment on column public.audit_exports.state is 'pending, running, then ready until expires_at, or failed for the reason in last_error; written by the worker.';
comment on column public.audit_exports.complete is
  'False: what was committed before it was asked for is not all in it, for the log was not sealed that far (csv: not numbered) after a minute of waiting; ask again once it is. Null until it is written.';
comment on column public.audit_exports.requested_by is 'The actor, as in the log: {kind, id}.';
comment on column public.audit_exports.last_error is '{slug, detail, at}; null when it is ready.';
create index audit_exports_state_idx on public.audit_exports (tenant_id, state);

create trigger _100_touch before update on public.audit_exports
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.audit_exports
  for each row execute function private.tg_record_change('audit_export',
    'records_done,records_total,failures,last_error,started_at,finished_at');
alter table public.audit_exports enable always trigger _500_record;

create function public.request_audit_export(
  tenant_id uuid, since timestamptz default null, until timestamptz default null,
  format text default 'jsonl', types text[] default null, actor_id text default null,
  target_id text default null
) returns public.audit_exports
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_export public.audit_exports;
begin
  perform private.require_right(request_audit_export.tenant_id, 'audit.read');
  perform pg_advisory_xact_lock(782, hashtext(request_audit_export.tenant_id::text));
  if (
    select count(*) from public.audit_exports e
     where e.tenant_id = request_audit_export.tenant_id and e.state in ('pending', 'running')) >= 3
  then
    perform private.refuse(409, 'exports_too_many', 'Three exports of this tenant are under way: wait for one');
  end if;
  insert into public.audit_exports as e
    (tenant_id, format, since_at, until_at, types, actor_id, target_id, requested_by)
  values (request_audit_export.tenant_id, request_audit_export.format,
    request_audit_export.since, request_audit_export.until, request_audit_export.types,
    request_audit_export.actor_id, request_audit_export.target_id, private.current_actor())
  returning e.* into v_export;
  perform private.enqueue('audit__export',
    jsonb_build_object('tenantId', v_export.tenant_id, 'id', v_export.id),
    'audit__export:' || v_export.id);
  return v_export;
end;
$$;
comment on function public.request_audit_export(
  uuid, timestamptz, timestamptz, text, text[], text, text
) is
  'Asks for the tenant''s log between two moments as a file: jsonl (provable) or csv (for reading), the latter also of some types and prefixes such as tenant.*, of one actor or about one target alone. Watch the row; its file is kept a week. '
  'Errors: 403 not_allowed, 409 exports_too_many, 400 export_format_unknown, export_period_empty, export_filter_unprovable, event_types_malformed. Definer: the queue is its owner''s; checks audit.read itself.';

create function private.open_audit_export(p_export uuid) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_export public.audit_exports;
begin
  select * into v_export from public.audit_exports e
   where e.id = p_export
     and (private.platform_has('audit.read')
       or e.tenant_id = any (array(select private.tenants_with('audit.read'))));
  if not found then
    perform private.refuse(404, 'export_not_found', format('There is no export %s', p_export));
  end if;
  if v_export.state <> 'ready' or v_export.expires_at <= now() then
    perform private.refuse(409, 'export_not_ready', format('The export is %s', v_export.state));
  end if;
  perform private.record_event(v_export.tenant_id, 'audit_export.downloaded',
    jsonb_build_array(jsonb_build_object('kind', 'audit_export', 'id', v_export.id)),
    jsonb_build_object('format', v_export.format, 'size_bytes', v_export.size_bytes,
      'sha256', v_export.sha256));
  return jsonb_build_object('id', v_export.id, 'format', v_export.format,
    'sizeBytes', v_export.size_bytes, 'sha256', v_export.sha256);
end;
$$;
comment on function private.open_audit_export(uuid) is
  'What the audit function needs to hand a file out: {id, format, sizeBytes, sha256}; who took it is on record. Strangers get export_not_found, as if there were none. Raises export_not_found, export_not_ready. '
  'Definer: callers cannot write events; checks audit.read itself.';
