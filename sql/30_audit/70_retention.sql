-- What is kept how long. The whole instance: settings audit.retention_days, and the oldest month is dropped as a partition once all of it is older. A tenant, shorter:
-- tenants.personal_retention_days, and the personal values beside its events go. Never under a legal hold. Both still verify.
-- A month goes only with tombstones that the worker signed before, having seen each record that goes: what stands here unsigned was put here by somebody else.
-- Next: functions/_worker/tasks/audit__retain.ts, each night.

-- Leaves are removed from the left, so what the tree needs of them is its frontier there: the rest is built on it and must come to the signed root.
create table private.audit_tombstones (
  tenant_id uuid not null,
  recorded_until timestamptz not null,
  size bigint not null check (size >= 0),
  frontier bytea[] not null,
  root bytea not null check (length(root) = 32),
  first_seq bigint,
  last_seq bigint,
  events bigint not null,
  dropped_at timestamptz not null default clock_timestamp(),
  note text,
  primary key (tenant_id, recorded_until)
);
comment on table private.audit_tombstones is
  'What stands for the months that were dropped: one row a tenant and month. Written by private.drop_audit_month only.';
comment on column private.audit_tombstones.recorded_until is
  'Events recorded before are gone. A leaf out of order at the month''s end may outlive its event.';
comment on column private.audit_tombstones.size is 'Leaves before this index are gone.';
comment on column private.audit_tombstones.frontier is
  'The complete subtrees of those leaves, the largest first.';
comment on column private.audit_tombstones.root is 'The root of the tree of that size, as a checkpoint of then says.';
comment on column private.audit_tombstones.first_seq is
  'Of the leaves that went with this month, as last_seq; null when none did.';
comment on column private.audit_tombstones.note is
  'The signed note (functions/_shared/audit/note.ts, purpose tombstone), signed before anything was removed; null: nobody signed it, and nobody will.';

create function private.audit_retention_days() returns integer
language sql stable set search_path = ''
as $$
  select nullif(value, 'null')::integer from public.settings where key = 'audit.retention_days'
$$;
comment on function private.audit_retention_days() is
  'How many days an event is kept at least; null: for ever.';

create function private.retained_frontier(
  p_tenant uuid, p_size bigint, out frontier bytea[]
)
language plpgsql stable set search_path = ''
as $$
declare
  v_from bigint := 0;
  v_hashes bytea[];
begin
  frontier := '{}';
  select t.size, t.frontier into v_from, frontier
    from private.audit_tombstones t where t.tenant_id = p_tenant
   order by t.size desc limit 1;
  v_from := coalesce(v_from, 0);
  frontier := coalesce(frontier, '{}');
  while v_from < p_size loop
    select array_agg(l.hash order by l.leaf_index) into v_hashes
      from private.audit_leaves l
     where l.tenant_id = p_tenant and l.leaf_index >= v_from
       and l.leaf_index < least(v_from + 1000, p_size);
    if coalesce(cardinality(v_hashes), 0) <> least(1000, p_size - v_from) then
      raise exception using errcode = 'PT409', message = 'audit_incomplete',
        detail = format('Leaves of tenant %s are missing from %s on', p_tenant, v_from);
    end if;
    frontier := private.tree_append(v_from, frontier, v_hashes);
    v_from := v_from + cardinality(v_hashes);
  end loop;
end;
$$;
comment on function private.retained_frontier(uuid, bigint) is
  'The frontier of the tenant''s tree at a size, built on the newest tombstone. Raises audit_incomplete where a leaf is missing: what was tampered with is not swept away.';

create function private.bury(
  p_tenant uuid, p_before timestamptz, p_events bigint, p_note text
) returns void
language plpgsql volatile set search_path = ''
as $$
declare
  v_stone private.audit_tombstones;
begin
  v_stone.size := private.first_leaf_from(p_tenant, p_before);
  v_stone.frontier := private.retained_frontier(p_tenant, v_stone.size);
  v_stone.root := private.tree_root(v_stone.frontier);
  if v_stone.size > 0
    and split_part(p_note, e'\n', 3) is distinct from encode(v_stone.root, 'base64')
  then
    raise exception using errcode = 'PT409', message = 'audit_incomplete',
      detail = format('The tombstone of tenant %s was signed for another tree', p_tenant);
  end if;
  with gone as (
    delete from private.audit_leaves l
     where l.tenant_id = p_tenant and l.leaf_index < v_stone.size returning l.seq
  ), unnumbered as (
    delete from private.audit_sequence s using gone g where s.seq = g.seq
  )
  select min(seq), max(seq) into v_stone.first_seq, v_stone.last_seq from gone;
  delete from private.audit_signatures g
   where g.tenant_id = p_tenant and g.leaf_index < v_stone.size;
  delete from private.audit_checkpoints c where c.tenant_id = p_tenant and c.size < v_stone.size;
  delete from private.audit_personal p
   where p.tenant_id = p_tenant and p.event_recorded_at < p_before;
  update public.webhook_deliveries d
     set state = 'cancelled', settled_at = clock_timestamp()
   where d.tenant_id = p_tenant and d.state = 'pending' and d.event_recorded_at < p_before;
  insert into private.audit_tombstones
    (tenant_id, recorded_until, size, frontier, root, first_seq, last_seq, events, note)
  values (p_tenant, p_before, v_stone.size, v_stone.frontier, v_stone.root, v_stone.first_seq,
    v_stone.last_seq, p_events, p_note);
  perform private.record_event(p_tenant, 'audit.dropped', '[]', jsonb_build_object(
    'recorded_until', p_before, 'events', p_events, 'size', v_stone.size,
    'root', encode(v_stone.root, 'hex'),
    'first_seq', v_stone.first_seq, 'last_seq', v_stone.last_seq));
end;
$$;
comment on function private.bury(uuid, timestamptz, bigint, text) is
  'Removes what goes with a tenant''s events of a month and leaves the tombstone with its signed note. Called by drop_audit_month only.';

create function private.first_leaf_from(p_tenant uuid, p_since timestamptz) returns bigint
language sql stable set search_path = ''
as $$
  select coalesce(
    (select l.leaf_index from private.audit_leaves l
      where l.tenant_id = p_tenant and l.recorded_at >= p_since order by l.leaf_index limit 1),
    (select t.size from private.audit_trees t where t.tenant_id = p_tenant), 0)
$$;
comment on function private.first_leaf_from(uuid, timestamptz) is
  'The first leaf of an event recorded since; the size of the tree when there is none.';

create function private.stones_to_sign(
  p_tenants uuid[], p_before timestamptz, p_notes jsonb
) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
      'tenant_id', s.tenant_id, 'size', s.size, 'from', coalesce(b.size, 0), 'note', b.note,
      'frontier', (
        select coalesce(jsonb_agg(translate(encode(f, 'base64'), e'\n', '') order by at), '[]')
          from unnest(b.frontier) with ordinality as u (f, at))) order by s.tenant_id), '[]')
    from (
      select t as tenant_id, private.first_leaf_from(t, p_before) as size
        from unnest(p_tenants) t) s
    left join lateral (
      select * from private.audit_tombstones o
       where o.tenant_id = s.tenant_id order by o.size desc limit 1) b on true
   where s.size > 0
     and split_part(p_notes ->> s.tenant_id::text, e'\n', 2) is distinct from s.size::text
$$;
comment on function private.stones_to_sign(uuid[], timestamptz, jsonb) is
  'Tombstones that a month needs and p_notes does not have: {tenant_id, size, from, frontier, note}, the last three of the one they are built on.';

create function private.drop_audit_month(
  p_days integer default null, p_notes jsonb default '{}'
) returns jsonb
language plpgsql volatile security definer set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_days integer := private.audit_retention_days();
  v_month text;
  v_before timestamptz;
  v_sealed bigint := (select last_seq from private.audit_sealer);
  v_tenants jsonb;
  v_stones jsonb;
  v_outcome text;
begin
  if v_days is null or not pg_try_advisory_xact_lock(779, 21) then
    return null;
  end if;
  select c.relname,
         substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([^'']+)''\)')::timestamptz
    into v_month, v_before
    from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
   where i.inhparent = 'public.audit_events'::regclass and c.relname ~ '^audit_events_\d{4}_\d\d$'
   order by c.relname limit 1;
  if v_before is null or v_before > now() - make_interval(days => greatest(v_days, p_days)) then
    return null;
  end if;
  perform private.lock_holds();
  execute format($sql$
    select coalesce(jsonb_object_agg(tenant_id, counted), '{}') from (
      select e.tenant_id, jsonb_build_object('events', count(*), 'sealed', count(s.seq)) as counted
        from private.%I e
        left join private.audit_sequence s on s.tenant_id = e.tenant_id
         and s.recorded_at = e.recorded_at and s.event_id = e.id and s.seq <= $1
       group by e.tenant_id) c $sql$, v_month)
    into v_tenants using v_sealed;
  v_stones := private.stones_to_sign(
    array(select k::uuid from jsonb_object_keys(v_tenants) k), v_before, p_notes);
  v_outcome := case
    when p_days is null then 'not_allowed'
    when exists (select from jsonb_object_keys(v_tenants) k where private.is_held(k::uuid))
    then 'held'
    when exists (
      select from jsonb_each(v_tenants) t
        left join private.audit_trees a on a.tenant_id = t.key::uuid
       where t.value -> 'events' <> t.value -> 'sealed'
          or private.first_leaf_from(t.key::uuid, v_before) > coalesce(a.signed_size, 0))
    then 'unsealed'
    when v_stones <> '[]' then 'unsigned'
    else 'dropped' end;
  if v_outcome = 'dropped' then
    perform private.bury(
        t.key::uuid, v_before, (t.value ->> 'events')::bigint, p_notes ->> t.key)
       from jsonb_each(v_tenants) t;
    execute format('drop table private.%I', v_month);
  end if;
  return jsonb_build_object('month', right(v_month, 7), 'outcome', v_outcome, 'events', (
    select coalesce(sum((t.value ->> 'events')::bigint), 0) from jsonb_each(v_tenants) t))
    || case when v_outcome = 'unsigned'
         then jsonb_build_object('before', v_before, 'stones', v_stones) else '{}' end;
end;
$$;
comment on function private.drop_audit_month(integer, jsonb) is
  'Drops the oldest month of the log if it is older than audit.retention_days and than p_days, what the worker is allowed: {month, outcome: dropped | held | unsealed | unsigned | not_allowed, events}; null when none is due. '
  'held: a legal hold is open over a tenant with events in it, so no later month goes either. unsealed: the worker must seal and sign it first. unsigned: with {before, stones}, the tombstones whose signed notes are to come as p_notes, {tenant id: note}. not_allowed: without p_days nothing is dropped. '
  'All or nothing; waits 2 s for the lock, in which writers wait too. '
  'Definer: only the owner may drop a partition.';

create function private.remove_old_values(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_days integer := private.audit_retention_days();
  v_removed integer;
begin
  perform private.lock_holds();
  with due as (
    (select v.tenant_id, v.event_recorded_at, v.event_id, v.slot
       from public.tenants t
       cross join lateral (
         select * from private.audit_personal p
          where p.tenant_id = t.id and p.event_recorded_at
            < now() - make_interval(days => least(t.personal_retention_days, v_days))
          order by p.event_recorded_at limit p_limit) v
      where coalesce(t.personal_retention_days, v_days) is not null and not private.is_held(t.id)
      limit p_limit)
    union -- what an erased person's last requests left while the erasure ran
    (select p.tenant_id, p.event_recorded_at, p.event_id, p.slot
       from public.users u join private.audit_personal p on p.user_id = u.id
      where u.erased_at is not null and not private.is_held(p.tenant_id)
      limit p_limit)
  ), gone as (
    delete from private.audit_personal p using due d
     where p.tenant_id = d.tenant_id and p.event_recorded_at = d.event_recorded_at
       and p.event_id = d.event_id and p.slot = d.slot
    returning 1
  )
  select count(*) into v_removed from gone;
  return v_removed;
end;
$$;
comment on function private.remove_old_values(integer) is
  'Removes personal values and salts past their tenant''s retention or the instance''s, and of the erased; at most twice so many; returns how many. Definer: the table is private.';

create function private.list_unsigned_tombstones() returns table (tenant_id uuid, size bigint)
language sql stable security definer set search_path = ''
as $$
  select t.tenant_id, t.size from private.audit_tombstones t
   where t.note is null and t.size > 0 order by t.tenant_id, t.size limit 1000
$$;
comment on function private.list_unsigned_tombstones() is
  'Tombstones that nobody signed: put in behind the worker''s back, and reported by it. Definer: the table is private.';

create function private.list_leaf_hashes(
  p_tenant uuid, p_from bigint, p_to bigint
) returns bytea
language sql stable security definer set search_path = ''
as $$
  select string_agg(l.hash, '' order by l.leaf_index)
    from private.audit_leaves l
   where l.tenant_id = p_tenant and l.leaf_index >= p_from and l.leaf_index < p_to
$$;
comment on function private.list_leaf_hashes(uuid, bigint, bigint) is
  'The hashes of leaves from an index to before another, joined: what the worker builds a tree of. Definer: leaves are private.';

create function private.report_refused_removal(
  p_tenant uuid, p_size bigint, p_reason text
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_targets jsonb := jsonb_build_array(jsonb_build_object('kind', 'tenant', 'id', p_tenant));
  v_data jsonb := jsonb_build_object('size', p_size, 'reason', p_reason);
begin
  if not exists (
    select from public.audit_events e
     where e.tenant_id = private.platform_tenant() and e.type = 'audit.removal_refused'
       and e.targets = v_targets and e.data = v_data)
  then
    perform private.record_event(
      private.platform_tenant(), 'audit.removal_refused', v_targets, v_data);
  end if;
end;
$$;
comment on function private.report_refused_removal(uuid, bigint, text) is
  'The worker signs no tombstone of that size: audit.removal_refused, once, in the platform''s log. Definer: callers cannot write events.';
