-- audit_sinks: where the log goes on the record of somebody else. A tenant's sink gets the tenant's events; one of the platform tenant gets those of all.
-- Made by POST /functions/v1/audit/sinks, since its secret is shown once there.
-- Next: 81_sink_secrets.sql (another secret), 82_fan_out.sql (the worker's side), functions/_worker/tasks/audit__fan_out.ts (who sends).
create table public.audit_sinks (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  name text not null constraint sink_name_malformed
    check (length(name) between 1 and 200 and name = trim(name) and name !~ '[[:cntrl:]]'),
  kind text not null check (kind in ('http', 'syslog', 'file')),
  settings jsonb not null,
  enabled boolean not null default true,
  state text not null default 'active' check (state in ('active', 'failing')),
  failures integer not null default 0,
  last_error jsonb,
  cursor_seq bigint not null default 0,
  cursor_at timestamptz,
  checkpoint_at timestamptz not null default '-infinity',
  delivered_at timestamptz,
  dropped_until timestamptz,
  next_attempt_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint sink_name_taken unique (tenant_id, name),
  constraint sink_file_of_tenant check (
    kind <> 'file' or tenant_id = private.platform_tenant()),
  constraint sink_settings_malformed check (coalesce(case kind
    when 'http' then settings - 'url' = '{}' and length(settings ->> 'url') between 1 and 2000
    when 'syslog' then
      settings
        - array['host', 'port', 'transport', 'ca', 'facility', 'enterpriseId', 'confirm'] = '{}'
      and length(settings ->> 'host') between 1 and 253
      and (settings ->> 'port')::numeric between 1 and 65535
      and settings ->> 'transport' in ('tcp', 'tls')
      and (settings ->> 'facility')::numeric between 0 and 23
      and (settings ->> 'enterpriseId')::numeric between 1 and 4294967295
      and jsonb_typeof(settings -> 'confirm') = 'boolean'
    else settings - array['maxBytes', 'keep'] = '{}'
      and (settings ->> 'maxBytes')::numeric between 1024 and 1099511627776
      and (settings ->> 'keep')::numeric between 0 and 100000
  end, false))
);
comment on table public.audit_sinks is 'A receiver of the log: HTTP, syslog or, of the platform tenant only, a file. In the platform tenant: of the log of every tenant.';
comment on column public.audit_sinks.settings is
  'http {url} · syslog {host, port, transport tcp | tls, ca (PEM), facility, enterpriseId, confirm} · file {maxBytes, keep}. Never changed: a secret would follow to another receiver.';
comment on column public.audit_sinks.state is 'failing from a refused batch on until one is taken; written by the worker. Nothing is dropped meanwhile but by retention.';
comment on column public.audit_sinks.last_error is
  '{slug, detail, at} of the newest failure, and event {seq, id, tenant_id, type, size_bytes} where one event alone is too large for the receiver; null once a batch is taken.';
comment on column public.audit_sinks.cursor_seq is 'Every event of the log up to here was taken. What was sent and not yet noted here is sent again, under the same event id.';
comment on column public.audit_sinks.cursor_at is 'When the event at the cursor was recorded.';
comment on column public.audit_sinks.checkpoint_at is 'When the newest checkpoint that was taken was made.';
comment on column public.audit_sinks.dropped_until is
  'Retention dropped events recorded before that the sink had not taken: audit_sink.events_dropped says which. Null: none ever.';

create trigger _100_touch before update on public.audit_sinks
  for each row execute function private.tg_touch();
-- The state is on record, how far it is is not: each batch would become an event for the next one.
create trigger _500_record after insert or update or delete on public.audit_sinks
  for each row execute function private.tg_record_change('audit_sink',
    'failures,last_error,cursor_seq,cursor_at,checkpoint_at,delivered_at,dropped_until,'
    'next_attempt_at');
alter table public.audit_sinks enable always trigger _500_record;

create table private.audit_sink_secrets (
  tenant_id uuid not null,
  sink_id uuid not null,
  key_id text not null,
  ciphertext bytea not null,
  primary key (tenant_id, sink_id),
  foreign key (tenant_id, sink_id)
    references public.audit_sinks (tenant_id, id) on delete cascade
);
comment on table private.audit_sink_secrets is
  'JSON {signingSecret, previous, headers}, AES-256-GCM by functions/_shared/secrets.ts; additional data: audit_sink_secrets|<tenant>|<sink>. Only for kind http.';

create table private.audit_sink_checkpoints (
  tenant_id uuid not null,
  sink_id uuid not null,
  of_tenant_id uuid not null,
  size bigint not null,
  primary key (tenant_id, sink_id, of_tenant_id),
  foreign key (tenant_id, sink_id)
    references public.audit_sinks (tenant_id, id) on delete cascade
);
comment on table private.audit_sink_checkpoints is 'The newest checkpoint of each tenant that a sink took.';

create function private.seq_before(p_tenant uuid, p_from timestamptz) returns bigint
language sql stable set search_path = ''
as $$
  select coalesce(
    (select min(s.seq) - 1 from private.audit_sequence s
      where (p_tenant = private.platform_tenant() or s.tenant_id = p_tenant)
        and s.recorded_at >= p_from),
    (select last_seq from private.audit_sequencer),
    0)
$$;
comment on function private.seq_before(uuid, timestamptz) is
  'The cursor after which everything recorded from a moment on comes; for null, and where there is nothing, the end of the log.';

create function private.create_audit_sink(
  p_tenant uuid, p_id uuid, p_name text, p_kind text, p_settings jsonb, p_from timestamptz,
  p_key_id text, p_ciphertext bytea
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sink public.audit_sinks;
begin
  perform private.require_right(p_tenant, 'audit.write');
  insert into public.audit_sinks (tenant_id, id, name, kind, settings, cursor_seq)
  values (p_tenant, p_id, p_name, p_kind, p_settings, private.seq_before(p_tenant, p_from))
  returning * into v_sink;
  if p_ciphertext is not null then
    insert into private.audit_sink_secrets (tenant_id, sink_id, key_id, ciphertext)
    values (p_tenant, p_id, p_key_id, p_ciphertext);
  end if;
  return jsonb_build_object('id', v_sink.id, 'name', v_sink.name, 'kind', v_sink.kind,
    'settings', v_sink.settings, 'enabled', v_sink.enabled, 'createdAt', v_sink.created_at);
end;
$$;
comment on function private.create_audit_sink(
  uuid, uuid, text, text, jsonb, timestamptz, text, bytea
) is
  'A sink and its sealed secret; returns {id, name, kind, settings, enabled, createdAt}. Raises not_allowed, sink_name_taken, sink_name_malformed, sink_settings_malformed, sink_file_of_tenant. '
  'Definer: secrets are private; checks audit.write itself.';

create function public.rewind_audit_sink(
  tenant_id uuid, id uuid, "from" timestamptz
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sink public.audit_sinks;
  v_cursor bigint;
begin
  perform private.require_right(rewind_audit_sink.tenant_id, 'audit.write');
  select s.* into v_sink from public.audit_sinks s
   where s.tenant_id = rewind_audit_sink.tenant_id and s.id = rewind_audit_sink.id
     for update;
  if not found then
    perform private.refuse(404, 'sink_not_found', format(
      'There is no sink %s in tenant %s', rewind_audit_sink.id, rewind_audit_sink.tenant_id));
  end if;
  v_cursor := least(
    v_sink.cursor_seq, private.seq_before(v_sink.tenant_id, rewind_audit_sink."from"));
  update public.audit_sinks s
     set cursor_seq = v_cursor, cursor_at = null, checkpoint_at = '-infinity',
         next_attempt_at = now()
   where s.tenant_id = v_sink.tenant_id and s.id = v_sink.id;
  delete from private.audit_sink_checkpoints c
   where c.tenant_id = v_sink.tenant_id and c.sink_id = v_sink.id;
  perform private.record_event(v_sink.tenant_id, 'audit_sink.rewound',
    jsonb_build_array(jsonb_build_object('kind', 'audit_sink', 'id', v_sink.id)),
    jsonb_build_object('from', rewind_audit_sink."from",
      'cursor_seq_before', v_sink.cursor_seq, 'cursor_seq_after', v_cursor));
  return jsonb_build_object('cursorSeq', v_cursor);
end;
$$;
comment on function public.rewind_audit_sink(uuid, uuid, timestamptz) is
  'Sends what was recorded from a moment on once more, and never skips forward; returns {cursorSeq}. Errors: 403 not_allowed, 404 sink_not_found. Definer: callers never write the cursor; checks audit.write itself.';

create function public.skip_audit_sink_event(
  tenant_id uuid, id uuid, seq bigint
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sink public.audit_sinks;
  v_event jsonb;
begin
  perform private.require_right(skip_audit_sink_event.tenant_id, 'audit.write');
  select s.* into v_sink from public.audit_sinks s
   where s.tenant_id = skip_audit_sink_event.tenant_id and s.id = skip_audit_sink_event.id
     for update;
  if not found then
    perform private.refuse(404, 'sink_not_found', format('There is no sink %s in tenant %s',
      skip_audit_sink_event.id, skip_audit_sink_event.tenant_id));
  end if;
  v_event := v_sink.last_error -> 'event';
  -- Nobody chooses what a receiver does not get: only what it has refused can be passed over.
  if v_event is null or (v_event ->> 'seq')::bigint is distinct from skip_audit_sink_event.seq
    or skip_audit_sink_event.seq <= v_sink.cursor_seq
  then
    perform private.refuse(409, 'sink_event_not_refused', format(
      'The sink does not wait at event %s: last_error names the one that is too large',
      skip_audit_sink_event.seq));
  end if;
  update public.audit_sinks s
     set cursor_seq = skip_audit_sink_event.seq,
         cursor_at = coalesce(
           (select q.recorded_at from private.audit_sequence q
             where q.seq = skip_audit_sink_event.seq),
           s.cursor_at),
         failures = 0, last_error = null, next_attempt_at = now()
   where s.tenant_id = v_sink.tenant_id and s.id = v_sink.id;
  perform private.record_event(v_sink.tenant_id, 'audit_sink.event_skipped',
    jsonb_build_array(jsonb_build_object('kind', 'audit_sink', 'id', v_sink.id)), v_event);
  return jsonb_build_object('cursorSeq', skip_audit_sink_event.seq);
end;
$$;
comment on function public.skip_audit_sink_event(uuid, uuid, bigint) is
  'Passes over the one event that the receiver refuses as too large, by the seq in last_error; it is on record. Returns {cursorSeq}. Errors: 403 not_allowed, 404 sink_not_found, 409 sink_event_not_refused. '
  'Definer: callers never write the cursor; checks audit.write itself.';

create function private.unsequenced(
  p_tenant uuid, p_before timestamptz, p_limit integer
) returns setof timestamptz
language sql stable set search_path = ''
as $$
  -- Nothing below the horizon waits, so the index on xid finds the few above it.
  select e.recorded_at from public.audit_events e
   where e.xid >= coalesce((select horizon from private.audit_sequencer), '3'::xid8)
     and (p_tenant = private.platform_tenant() or e.tenant_id = p_tenant)
     and e.recorded_at < p_before
     and not exists (
       select from private.audit_sequence s
        where s.tenant_id = e.tenant_id and s.recorded_at = e.recorded_at and s.event_id = e.id)
   limit p_limit
$$;
comment on function private.unsequenced(uuid, timestamptz, integer) is
  'When events were recorded that are committed and have no seq yet, as while a transaction that began before them runs on; of the platform tenant: of every tenant''s.';

create function public.sink_lag(sink public.audit_sinks) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_instance boolean := sink.tenant_id = private.platform_tenant();
begin
  perform private.require_right(sink.tenant_id, 'audit.read');
  return (
    with waiting as (
      (select s.recorded_at from private.audit_sequence s
        where (v_instance or s.tenant_id = sink.tenant_id) and s.seq > sink.cursor_seq
        order by s.seq limit 100000)
      union all
      select u.recorded_at from private.unsequenced(sink.tenant_id, 'infinity', 100000)
        as u (recorded_at)
    )
    select jsonb_build_object('events', least(count(*), 100000),
        'seconds', coalesce(ceil(greatest(extract(epoch from now() - min(w.recorded_at)), 0)), 0))
      from waiting w);
end;
$$;
comment on function public.sink_lag(public.audit_sinks) is
  'How far a sink is behind, as a column: select=*,sink_lag. {events, 100000 at most, seconds since the oldest of them was recorded}; those that are committed and have no seq yet count too. Errors: 403 not_allowed. Definer: the sequence is private; checks audit.read itself.';
