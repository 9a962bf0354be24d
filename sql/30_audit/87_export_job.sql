-- The worker's side of exports: begin, read page by page, settle, expire. functions/_worker/tasks/audit__export.ts writes the file.

create function private.begin_export(p_tenant uuid, p_export uuid) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_export public.audit_exports;
  v_until timestamptz;
  v_first bigint;
  v_size bigint;
  v_after bigint;
  v_last bigint;
  v_total bigint;
  v_notes jsonb;
  v_behind boolean;
  v_wait boolean;
begin
  select * into v_export from public.audit_exports
   where tenant_id = p_tenant and id = p_export and state in ('pending', 'running') for update;
  if not found then
    return null;
  end if;
  v_until := least(v_export.until_at, v_export.created_at);
  if v_export.format = 'jsonl' then
    v_first := private.first_leaf_from(p_tenant, coalesce(v_export.since_at, '-infinity'));
    v_last := private.first_leaf_from(p_tenant, v_until);
    -- The first checkpoint that covers what was asked for; while there is none, the newest.
    select coalesce(
        min(c.size) filter (where c.size >= v_last), max(c.size)) into v_size
      from private.audit_checkpoints c where c.tenant_id = p_tenant;
    v_size := coalesce(v_size,
      (select t.size from private.audit_trees t where t.tenant_id = p_tenant), 0);
    v_first := least(v_first, v_size);
    v_total := v_size - v_first;
    select coalesce(jsonb_agg(n.note order by n.size), '[]') into v_notes from (
      select s.size, jsonb_build_object('tombstone', s.note) as note
        from private.audit_tombstones s
       where s.tenant_id = p_tenant and s.note is not null and s.size <= v_size
      union all
      select c.size, jsonb_build_object('checkpoint', c.note)
        from private.audit_checkpoints c where c.tenant_id = p_tenant and c.size = v_size) n;
  else
    select min(s.seq) - 1, max(s.seq), count(*) into v_after, v_last, v_total
      from private.audit_sequence s
     where s.tenant_id = p_tenant and s.recorded_at < v_until
       and (v_export.since_at is null or s.recorded_at >= v_export.since_at);
    if num_nonnulls(v_export.types, v_export.actor_id, v_export.target_id) > 0 then
      v_total := null; -- how many of them pass is known when all are read
    end if;
  end if;
  v_behind := exists (select from private.unsequenced(p_tenant, v_until, 1))
    or v_export.format = 'jsonl' and (
      v_size < v_last or exists (
        select from private.audit_sequence s
         where s.tenant_id = p_tenant and s.recorded_at < v_until
           and s.seq > coalesce((select last_seq from private.audit_sealer), 0)));
  -- Sealing is some seconds behind: what was committed before the asking is worth the wait, up to a minute. A log that is stalled or forked is not.
  v_wait := v_behind and v_export.created_at > now() - interval '1 minute';
  update public.audit_exports
     set state = 'running', started_at = clock_timestamp(), records_done = 0,
         records_total = v_total, complete = case when not v_wait then not v_behind end,
         last_error = null
   where tenant_id = p_tenant and id = p_export;
  return jsonb_build_object(
    'format', v_export.format, 'total', v_total,
    'since', v_export.since_at, 'until', v_until,
    'types', to_jsonb(v_export.types), 'actorId', v_export.actor_id,
    'targetId', v_export.target_id,
    'first', v_first, 'size', v_size,
    'prefix', (
      select coalesce(jsonb_agg(translate(encode(f, 'base64'), E'\n', '') order by at), '[]')
        from unnest(private.retained_frontier(p_tenant, v_first)) with ordinality as u (f, at)
       where v_export.format = 'jsonl'),
    'notes', coalesce(v_notes, '[]'),
    'afterSeq', coalesce(v_after, 0), 'lastSeq', coalesce(v_last, 0),
    'wait', v_wait);
end;
$$;
comment on function private.begin_export(uuid, uuid) is
  'Marks an export as running, from its start, also when a worker died over it: {format, total, since, until, types, actorId, targetId, first, size, prefix, notes, afterSeq, lastSeq, wait}; null when it is settled. '
  'wait: the newest of it is not sealed yet; after a minute it goes without, and the row says complete = false. Definer: leaves are private.';

create function private.list_export_leaves(
  p_tenant uuid, p_from bigint, p_to bigint
) returns table (index bigint, bytes text, signature text, personal jsonb)
language sql stable security definer set search_path = ''
as $$
  select l.leaf_index, l.bytes, translate(encode(g.signature, 'base64'), E'\n', ''),
         (select jsonb_object_agg(p.slot, jsonb_build_object(
             'salt', encode(p.salt, 'hex'), 'value', p.value::text))
            from private.audit_personal p
           where p.tenant_id = l.tenant_id and p.event_recorded_at = l.recorded_at
             and p.event_id = l.event_id)
    from private.audit_leaves l
    left join private.audit_signatures g using (tenant_id, leaf_index)
   where l.tenant_id = p_tenant and l.leaf_index >= p_from and l.leaf_index < p_to
   order by l.leaf_index
$$;
comment on function private.list_export_leaves(uuid, bigint, bigint) is
  'Sealed records from an index to before another, with the personal values that are still there. Definer: leaves are private.';

create function private.list_export_events(
  p_tenant uuid, p_after bigint, p_last bigint, p_since timestamptz, p_until timestamptz,
  p_types text[], p_actor_id text, p_target_id text, p_limit integer
) returns table (seq bigint, event jsonb)
language sql stable security definer set search_path = ''
as $$
  with page as (
    select s.* from private.audit_sequence s
     where s.tenant_id = p_tenant and s.seq > p_after and s.seq <= p_last
       and s.recorded_at < p_until and (p_since is null or s.recorded_at >= p_since)
     order by s.seq
     limit p_limit
  )
  select p.seq, e.event
    from page p
    left join lateral (
      select private.with_personal(o) as event from public.audit_events o
       where o.tenant_id = p.tenant_id and o.recorded_at = p.recorded_at and o.id = p.event_id
         and private.event_type_matches(o.type, p_types)
         and (p_actor_id is null or o.actor ->> 'id' = p_actor_id)
         and (p_target_id is null
           or o.targets @> jsonb_build_array(jsonb_build_object('id', p_target_id)))
       limit 1) e on true
   order by p.seq
$$;
comment on function private.list_export_events(
  uuid, bigint, bigint, timestamptz, timestamptz, text[], text, text, integer
) is
  'Events of an export in order, a page of them; null for one that its filter leaves out or that retention has removed meanwhile. Definer: the sequence is private.';

create function private.progress_export(
  p_tenant uuid, p_export uuid, p_done bigint
) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.audit_exports set records_done = p_done
   where tenant_id = p_tenant and id = p_export and state = 'running';
  return found;
end;
$$;
comment on function private.progress_export(uuid, uuid, bigint) is
  'How many records are written; false when nobody waits for them any more. Definer: callers never write these columns.';

create function private.settle_export(
  p_tenant uuid, p_export uuid, p_done bigint, p_size bigint, p_sha256 text
) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.audit_exports
     set state = 'ready', records_done = p_done, records_total = p_done, size_bytes = p_size,
         sha256 = p_sha256, last_error = null, finished_at = clock_timestamp(),
         expires_at = clock_timestamp() + interval '7 days'
   where tenant_id = p_tenant and id = p_export and state = 'running';
  return found;
end;
$$;
comment on function private.settle_export(uuid, uuid, bigint, bigint, text) is
  'The file is whole and in its place, for seven days. Definer: callers never write these columns.';

create function private.fail_export(p_tenant uuid, p_export uuid, p_error jsonb) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.audit_exports e
     set failures = e.failures + 1,
         state = case when e.failures >= 4 then 'failed' else e.state end,
         last_error = p_error || jsonb_build_object('at', clock_timestamp()),
         finished_at = case when e.failures >= 4 then clock_timestamp() end
   where e.tenant_id = p_tenant and e.id = p_export and e.state in ('pending', 'running');
end;
$$;
comment on function private.fail_export(uuid, uuid, jsonb) is
  'Why an export did not get on; at the fifth time it has failed, before that the queue tries again. Definer: callers never write these columns.';

create function private.expire_exports() returns uuid[]
language plpgsql volatile security definer set search_path = ''
as $$
begin
  update public.audit_exports set state = 'expired'
   where state = 'ready' and expires_at <= now();
  return array(
    select id from public.audit_exports where state in ('pending', 'running', 'ready'));
end;
$$;
comment on function private.expire_exports() is
  'Ends what has had its time; returns the exports whose files stay: any other file is to be removed. Definer: callers never write these columns.';
