-- What SQL alone can find: everything in the database that does not fit together. Whoever may write all of it can make it fit: that is found outside,
-- with the public key and a checkpoint (scripts/audit_verify.ts). docs/adr/0010-sealed-log.md says which of the two finds what.
-- Each problem has a slug; rpc/verify_audit lists them.
create function private.verify_records(
  p_tenant uuid, p_from bigint, p_to bigint
) returns table (problem text, seq bigint, leaf_index bigint, event_id uuid)
language sql stable security definer set search_path = ''
as $$
  with leaves as (
    select l.*, lag(l.seq) over (order by l.leaf_index) as seq_before,
           lag(l.leaf_index) over (order by l.leaf_index) as index_before
      from private.audit_leaves l
     where l.tenant_id = p_tenant and l.seq between p_from and p_to
  ), sealed as (
    select coalesce((select last_seq from private.audit_sealer), 0) as seq
  ), tree as (
    select coalesce(max(t.size), 0) as size, coalesce(max(t.signed_size), 0) as signed_size,
           coalesce((
             select max(b.recorded_until) from private.audit_tombstones b
              where b.tenant_id = p_tenant), '-infinity') as dropped_before
      from private.audit_trees t where t.tenant_id = p_tenant
  ), compared as (
    select l.*, s.event_id as numbered, s.recorded_at as numbered_at, e, e.id as found,
           g.signature
      from leaves l
      left join private.audit_sequence s on s.tenant_id = p_tenant and s.seq = l.seq
      left join public.audit_events e
        on e.tenant_id = p_tenant and e.recorded_at = l.recorded_at and e.id = l.event_id
      left join private.audit_signatures g
        on g.tenant_id = p_tenant and g.leaf_index = l.leaf_index
  )
  select f.problem, c.seq, c.leaf_index, c.event_id
    from compared c, tree t, lateral (values
      ('audit_bytes_altered', c.hash <> sha256('\x00'::bytea || convert_to(c.bytes, 'UTF8'))),
      ('audit_event_missing', c.found is null and c.recorded_at >= t.dropped_before),
      ('audit_event_altered',
        c.found is not null and c.bytes <> private.leaf_bytes(c.e, c.leaf_index, c.seq)),
      ('audit_order_altered', c.numbered is null
        or (c.numbered, c.numbered_at) <> (c.event_id, c.recorded_at) or c.seq < c.seq_before),
      ('audit_leaf_missing', c.leaf_index <> c.index_before + 1),
      ('audit_leaf_extra', c.leaf_index >= t.size),
      ('audit_signature_missing', c.leaf_index < t.signed_size and c.signature is null)
    ) as f (problem, holds)
   where f.holds
  union all
  -- numbered and not sealed, though the sealer is past it
  select case when e.id is null then 'audit_event_missing' else 'audit_leaf_missing' end,
         s.seq, null, s.event_id
    from private.audit_sequence s
    join sealed on s.seq <= sealed.seq
    left join public.audit_events e
      on e.tenant_id = s.tenant_id and e.recorded_at = s.recorded_at and e.id = s.event_id
   where s.tenant_id = p_tenant and s.seq between p_from and p_to
     and not exists (
       select from private.audit_leaves l where l.tenant_id = p_tenant and l.seq = s.seq)
$$;
comment on function private.verify_records(uuid, bigint, bigint) is
  'Problems of single records: bytes against hash, event and order, gaps, signatures that are gone. Definer: the log''s tables are private.';

create function private.verify_personal(
  p_tenant uuid, p_from bigint, p_to bigint
) returns table (problem text, seq bigint, leaf_index bigint, event_id uuid)
language sql stable security definer set search_path = ''
as $$
  -- Values may go, by erasure and retention; those that are there are those that were sealed.
  select 'audit_personal_altered', l.seq, l.leaf_index, l.event_id
    from private.audit_leaves l
    join private.audit_personal p
      on p.tenant_id = l.tenant_id and p.event_recorded_at = l.recorded_at
     and p.event_id = l.event_id
   where l.tenant_id = p_tenant and l.seq between p_from and p_to
     and encode(sha256(p.salt || convert_to(p.value::text, 'UTF8')), 'hex')
       is distinct from l.bytes::jsonb #>> array['personal', p.slot]
$$;
comment on function private.verify_personal(uuid, bigint, bigint) is
  'Personal values that are not the ones the sealed record commits to. Definer: they are private.';

create function private.verify_unnumbered(p_tenant uuid)
returns table (problem text, event_id uuid)
language sql stable security definer set search_path = ''
as $$
  select 'audit_event_extra', e.id
    from public.audit_events e, private.audit_sequencer z
   where e.tenant_id = p_tenant
     -- From a transaction that there has not been yet: the sequencer would come to it in years. After a restore all ids are of another cluster, and it goes row by row.
     and (e.xid < z.horizon or (
       e.xid >= pg_snapshot_xmax(pg_current_snapshot())
       and e.xid is distinct from pg_current_xact_id_if_assigned()
       and z.system_id = (select system_identifier from pg_control_system())))
     and not exists (
       select from private.audit_sequence s
        where s.tenant_id = e.tenant_id and s.recorded_at = e.recorded_at and s.event_id = e.id)
$$;
comment on function private.verify_unnumbered(uuid) is
  'Events that the sequencer is past and never saw, or that it will not see: put in behind its back. Definer: the sequencer is private.';

create function private.verify_tree(p_tenant uuid)
returns table (problem text, leaf_index bigint)
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_tree private.audit_trees;
  v_tombstone private.audit_tombstones;
  v_checkpoint private.audit_checkpoints;
  v_frontier bytea[] := '{}';
  v_size bigint := 0;
  v_hashes bytea[];
begin
  select * into v_tree from private.audit_trees t where t.tenant_id = p_tenant;
  -- What retention removed is a beginning of the log: the tree is built on what stands for it (70_retention.sql).
  select * into v_tombstone from private.audit_tombstones b
   where b.tenant_id = p_tenant order by b.size desc limit 1;
  if found then
    v_frontier := v_tombstone.frontier;
    v_size := v_tombstone.size;
    leaf_index := v_size - 1;
    if private.tree_root(v_frontier) <> v_tombstone.root then
      problem := 'audit_tombstone_root';
      return next;
      return;
    end if;
  end if;
  for v_checkpoint in
    select * from private.audit_checkpoints c
     where c.tenant_id = p_tenant and c.size >= v_size order by c.size
  loop
    select coalesce(array_agg(l.hash order by l.leaf_index), '{}') into v_hashes
      from private.audit_leaves l
     where l.tenant_id = p_tenant and l.leaf_index >= v_size
       and l.leaf_index < v_checkpoint.size;
    if cardinality(v_hashes) <> v_checkpoint.size - v_size then
      problem := 'audit_checkpoint_ahead'; -- it tells of leaves that are not there
      leaf_index := v_size + cardinality(v_hashes);
      return next;
      return;
    end if;
    v_frontier := private.tree_append(v_size, v_frontier, v_hashes);
    v_size := v_checkpoint.size;
    leaf_index := v_size - 1;
    if private.tree_root(v_frontier) <> v_checkpoint.root then
      problem := 'audit_checkpoint_root';
      return next;
    elsif split_part(v_checkpoint.note, e'\n', 2) <> v_checkpoint.size::text
      or split_part(v_checkpoint.note, e'\n', 3) <> encode(v_checkpoint.root, 'base64')
    then
      problem := 'audit_checkpoint_note';
      return next;
    end if;
  end loop;
  select coalesce(array_agg(l.hash order by l.leaf_index), '{}') into v_hashes
    from private.audit_leaves l where l.tenant_id = p_tenant and l.leaf_index >= v_size;
  v_frontier := private.tree_append(v_size, v_frontier, v_hashes);
  v_size := v_size + cardinality(v_hashes);
  leaf_index := v_size - 1;
  if v_size <> coalesce(v_tree.size, 0) then
    problem := 'audit_tree_size';
    return next;
  elsif v_size > 0 and (v_tree.frontier, v_tree.root)
    is distinct from (v_frontier, private.tree_root(v_frontier))
  then
    problem := 'audit_tree_root';
    return next;
  end if;
end;
$$;
comment on function private.verify_tree(uuid) is
  'The tree built anew from the leaves'' hashes, against frontier, root and every checkpoint; leaf_index is the last one compared. Definer: leaves are private.';

create function public.verify_audit(
  tenant_id uuid, from_seq bigint default 0, to_seq bigint default null
) returns table (problem text, seq bigint, leaf_index bigint, event_id uuid)
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.require_right(verify_audit.tenant_id, 'audit.read');
  return query
    select * from private.verify_records(
      verify_audit.tenant_id, from_seq, coalesce(to_seq, 9223372036854775807))
    union all
    select * from private.verify_personal(
      verify_audit.tenant_id, from_seq, coalesce(to_seq, 9223372036854775807))
    order by 2, 1;
  if to_seq is null then
    return query
      select u.problem, null::bigint, null::bigint, u.event_id
        from private.verify_unnumbered(verify_audit.tenant_id) u
      union all
      select t.problem, null, t.leaf_index, null from private.verify_tree(verify_audit.tenant_id) t;
  end if;
end;
$$;
comment on function public.verify_audit(uuid, bigint, bigint) is
  'Which records of the log do not fit together, one row a problem; none: all fits. Without to_seq also the tree, the checkpoints and events that never got a seq. '
  'Whoever may write everything can make everything fit: `deno task audit:verify` finds that. Errors: 403 not_allowed. Definer: the log''s tables are private; checks audit.read itself.';
