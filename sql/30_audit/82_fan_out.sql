-- The worker's side of sinks: find those with something to send, claim a batch, settle it. functions/_worker/tasks/audit__fan_out.ts sends in between.
-- One job a sink and a cursor each: a slow one holds no other, and nothing is kept per event.

create index audit_checkpoints_created_at_idx on private.audit_checkpoints (created_at);
create index audit_tombstones_last_seq_idx on private.audit_tombstones (last_seq);

create function private.new_checkpoints(
  p_tenant uuid, p_sink uuid, p_since timestamptz, p_limit integer
) returns table (tenant_id uuid, size bigint, note text, created_at timestamptz)
language sql stable set search_path = ''
as $$
  with newest as (
    (select c.* from private.audit_checkpoints c
      where p_tenant <> private.platform_tenant() and c.tenant_id = p_tenant
      order by c.size desc limit 1)
    union all
    -- A minute back: the moment is of the clock, and one may commit late. Those that were taken are left out below.
    (select distinct on (c.tenant_id) c.* from private.audit_checkpoints c
      where p_tenant = private.platform_tenant() and c.created_at > p_since - interval '1 minute'
      order by c.tenant_id, c.size desc)
  )
  select n.tenant_id, n.size, n.note, n.created_at from newest n
   where not exists (
     select from private.audit_sink_checkpoints s
      where s.tenant_id = p_tenant and s.sink_id = p_sink and s.of_tenant_id = n.tenant_id
        and s.size >= n.size)
   order by n.created_at
   limit p_limit
$$;
comment on function private.new_checkpoints(uuid, uuid, timestamptz, integer) is
  'The newest checkpoint of each tenant that a sink has not taken: an older one adds nothing to it.';

create function private.find_due_sinks(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sink record;
  v_queued integer := 0;
begin
  if not pg_try_advisory_xact_lock(779, 22) then
    return 0; -- another finder is at it
  end if;
  for v_sink in
    select s.tenant_id, s.id
      from public.audit_sinks s
     where s.enabled and s.next_attempt_at <= now()
       and (exists (
           select from private.audit_sequence e
            where s.tenant_id = private.platform_tenant() and e.seq > s.cursor_seq)
         or exists (
           select from private.audit_sequence e
            where e.tenant_id = s.tenant_id and e.seq > s.cursor_seq)
         or exists (
           select from private.new_checkpoints(s.tenant_id, s.id, s.checkpoint_at, 1)))
       and not exists (
         select from graphile_worker._private_jobs j
          where j.key = 'audit__fan_out:' || s.id
            and (j.locked_at is not null or j.is_available and j.run_at <= now()))
     limit p_limit
  loop
    perform graphile_worker.add_job('audit__fan_out',
      json_build_object('tenantId', v_sink.tenant_id, 'id', v_sink.id),
      job_key => 'audit__fan_out:' || v_sink.id);
    v_queued := v_queued + 1;
  end loop;
  return v_queued;
end;
$$;
comment on function private.find_due_sinks(integer) is
  'Adds one audit__fan_out job for each sink with something to send and no such job waiting or running, at most so many; returns how many. Definer: the queue is its owner''s.';

create function private.new_drops(
  p_tenant uuid, p_cursor bigint, p_noted timestamptz
) returns table (recorded_until timestamptz, from_seq bigint, to_seq bigint)
language sql stable set search_path = ''
as $$
  select t.recorded_until, min(greatest(t.first_seq, p_cursor + 1)), max(t.last_seq)
    from private.audit_tombstones t
   where (p_tenant = private.platform_tenant() or t.tenant_id = p_tenant)
     and t.last_seq > p_cursor and t.recorded_until > coalesce(p_noted, '-infinity')
   group by t.recorded_until
$$;
comment on function private.new_drops(uuid, bigint, timestamptz) is
  'The months that retention dropped before a sink at this cursor had taken all of them, and where in the log, without those that were noted.';

create function private.claim_sink_events(
  p_tenant uuid, p_sink uuid, p_limit integer, p_bytes integer
) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_instance boolean := p_tenant = private.platform_tenant();
  v_sink public.audit_sinks;
  v_next record;
  v_bytes bigint := 0;
  v_events jsonb[] := '{}';
  v_last bigint;
  v_cut boolean := false;
  v_checkpoints jsonb;
  v_drops jsonb;
  -- One event at a time: each may be a megabyte, so what does not fit in the batch is not read either.
  v_log no scroll cursor for
    with batch as (
      (select s.* from private.audit_sequence s
        where v_instance and s.seq > v_sink.cursor_seq order by s.seq limit p_limit)
      union all
      (select s.* from private.audit_sequence s
        where not v_instance and s.tenant_id = p_tenant and s.seq > v_sink.cursor_seq
        order by s.seq limit p_limit)
    )
    select b.seq, e.id, e.tenant_id, e.type, e.occurred_at, e.actor, e.targets,
           (private.with_personal(e.event) || jsonb_build_object('seq', b.seq))::text as text
      from batch b
      left join lateral (
        -- With a limit it cannot become a join that reads the whole log: 500 probes of an index.
        select o.id, o.tenant_id, o.type, o.occurred_at, o.actor, o.targets, o as event
          from public.audit_events o
         where o.tenant_id = b.tenant_id and o.recorded_at = b.recorded_at and o.id = b.event_id
         limit 1) e on true
     order by b.seq; -- a merge of the two halves, so that no sort reads everything first
begin
  select * into v_sink from public.audit_sinks
   where tenant_id = p_tenant and id = p_sink and enabled and next_attempt_at <= now();
  if not found then
    return null;
  end if;
  open v_log;
  loop
    fetch v_log into v_next;
    exit when not found;
    if v_next.id is not null then
      v_bytes := v_bytes + octet_length(v_next.text);
      v_cut := v_bytes > p_bytes and cardinality(v_events) > 0;
      exit when v_cut;
      v_events := v_events || jsonb_build_object('seq', v_next.seq, 'id', v_next.id,
        'tenantId', v_next.tenant_id, 'type', v_next.type, 'occurredAt', v_next.occurred_at,
        'actor', v_next.actor, 'targets', v_next.targets, 'text', v_next.text);
    end if;
    -- What retention has dropped is passed over: the cursor goes to the last of the batch all the same.
    v_last := v_next.seq;
  end loop;
  close v_log;
  if not v_cut then -- checkpoints go with what is last
    select jsonb_agg(jsonb_build_object('tenantId', c.tenant_id, 'size', c.size, 'note', c.note,
        'createdAt', c.created_at))
      into v_checkpoints
      from private.new_checkpoints(p_tenant, p_sink, v_sink.checkpoint_at, 100) c;
  end if;
  if v_last is null and v_checkpoints is null then
    return null;
  end if;
  -- Of the same snapshot as what was read: a month that goes from now on is noted by the next claim, or was read here.
  select jsonb_agg(jsonb_build_object('recordedUntil', d.recorded_until, 'fromSeq', d.from_seq,
      'toSeq', d.to_seq) order by d.recorded_until)
    into v_drops
    from private.new_drops(p_tenant, v_sink.cursor_seq, v_sink.dropped_until) d;
  return jsonb_build_object(
    'sink', jsonb_build_object('id', p_sink, 'tenantId', p_tenant, 'kind', v_sink.kind,
      'settings', v_sink.settings),
    'secret', (
      select jsonb_build_object('keyId', k.key_id,
        'ciphertext', translate(encode(k.ciphertext, 'base64'), E'\n', ''))
        from private.audit_sink_secrets k where k.tenant_id = p_tenant and k.sink_id = p_sink),
    'fromSeq', v_sink.cursor_seq,
    'toSeq', coalesce(v_last, v_sink.cursor_seq),
    'events', to_jsonb(v_events),
    'checkpoints', coalesce(v_checkpoints, '[]'),
    'drops', coalesce(v_drops, '[]'));
end;
$$;
comment on function private.claim_sink_events(uuid, uuid, integer, integer) is
  'The next events of a sink in order, at most so many of so many bytes and one at least, and the checkpoints it has not taken: {sink, secret, fromSeq, toSeq, events [{seq, id, tenantId, type, occurredAt, actor, targets, text}], '
  'checkpoints [{tenantId, size, note, createdAt}], drops [{recordedUntil, fromSeq, toSeq}]}; text is the whole event as JSON; drops are to be noted before the cursor moves. '
  'Null when there is nothing, or the sink is gone, disabled or resting. Moves nothing. Definer: reads secrets and the log for the worker.';

create function private.note_dropped_events(
  p_tenant uuid, p_sink uuid, p_drops jsonb
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_drop record;
begin
  for v_drop in
    select (d ->> 'recordedUntil')::timestamptz as recorded_until,
           (d ->> 'fromSeq')::bigint as from_seq, (d ->> 'toSeq')::bigint as to_seq
      from jsonb_array_elements(p_drops) d order by 1
  loop
    update public.audit_sinks s set dropped_until = v_drop.recorded_until
     where s.tenant_id = p_tenant and s.id = p_sink
       and (s.dropped_until is null or s.dropped_until < v_drop.recorded_until);
    if found then
      perform private.record_event(p_tenant, 'audit_sink.events_dropped',
        jsonb_build_array(jsonb_build_object('kind', 'audit_sink', 'id', p_sink)),
        jsonb_build_object('recorded_until', v_drop.recorded_until,
          'from_seq', v_drop.from_seq, 'to_seq', v_drop.to_seq));
    end if;
  end loop;
end;
$$;
comment on function private.note_dropped_events(uuid, uuid, jsonb) is
  'Puts on record that retention dropped what a sink had not taken, once a month and sink; p_drops as claim_sink_events gives them. Definer: callers cannot write events.';

create function private.settle_sink_events(
  p_tenant uuid, p_sink uuid, p_from_seq bigint, p_to_seq bigint, p_checkpoints jsonb
) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.audit_sinks s
     set cursor_seq = p_to_seq,
         cursor_at = coalesce(
           (select q.recorded_at from private.audit_sequence q where q.seq = p_to_seq),
           s.cursor_at),
         checkpoint_at = greatest(s.checkpoint_at, (
           select max((c ->> 'createdAt')::timestamptz)
             from jsonb_array_elements(p_checkpoints) c)),
         state = 'active', failures = 0, last_error = null, delivered_at = clock_timestamp()
   where s.tenant_id = p_tenant and s.id = p_sink
     and s.cursor_seq = p_from_seq; -- else it was rewound meanwhile
  if not found then
    return false;
  end if;
  insert into private.audit_sink_checkpoints (tenant_id, sink_id, of_tenant_id, size)
  select p_tenant, p_sink, (c ->> 'tenantId')::uuid, (c ->> 'size')::bigint
    from jsonb_array_elements(p_checkpoints) c
  on conflict (tenant_id, sink_id, of_tenant_id) do update set size = excluded.size;
  return true;
end;
$$;
comment on function private.settle_sink_events(uuid, uuid, bigint, bigint, jsonb) is
  'The sink took everything after p_from_seq up to p_to_seq, and these checkpoints. False when the sink was rewound meanwhile: then nothing moves. Definer: callers never write the cursor.';

create function private.settle_sink_failure(
  p_tenant uuid, p_sink uuid, p_error jsonb, p_retry_after_seconds integer
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.audit_sinks s
     set state = 'failing', failures = s.failures + 1,
         last_error = p_error || jsonb_build_object('at', clock_timestamp()),
         next_attempt_at = clock_timestamp() + make_interval(secs => greatest(
           least(power(2, least(s.failures, 9)), 300) * (0.8 + random() * 0.4),
           least(p_retry_after_seconds, 86400)))
   where s.tenant_id = p_tenant and s.id = p_sink;
end;
$$;
comment on function private.settle_sink_failure(uuid, uuid, jsonb, integer) is
  'A batch was not taken: the sink rests 1 s, doubled by each further failure up to 5 min, ± 20 %, and no shorter than it asked for. It is tried for ever. Definer: callers never write these columns.';
