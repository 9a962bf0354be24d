-- Sealing. After commit, in the order of audit_sequence, each event becomes a leaf of its tenant's Merkle tree (RFC 6962): its bytes are stored once,
-- what is hashed is what is stored. The worker (functions/_worker/tasks/audit__seal.ts) then signs leaf and tree with a key that is not in the database.
-- Next: 50_verify.sql (what SQL can find), functions/_shared/audit/verify.ts (finds everything), docs/adr/0010-sealed-log.md.
create table private.audit_leaves (
  tenant_id uuid not null,
  leaf_index bigint not null check (leaf_index >= 0),
  seq bigint not null,
  recorded_at timestamptz not null,
  event_id uuid not null,
  bytes text not null,
  hash bytea not null,
  primary key (tenant_id, leaf_index),
  unique (tenant_id, seq)
);
comment on table private.audit_leaves is 'Each sealed event: the bytes that were hashed. Written by private.seal_events only.';
comment on column private.audit_leaves.leaf_index is 'From 0 in each tenant, without a gap.';
comment on column private.audit_leaves.hash is 'SHA-256(0x00 ‖ bytes in UTF-8): RFC 6962, section 2.1.';

create table private.audit_trees (
  tenant_id uuid primary key,
  size bigint not null,
  frontier bytea[] not null,
  root bytea not null,
  signed_size bigint not null default 0,
  signed_frontier bytea not null default ''
);
comment on table private.audit_trees is 'Where the Merkle tree of each tenant stands: 32 bytes for each bit set in its size.';
comment on column private.audit_trees.frontier is 'The complete subtrees from left to right, so the largest first.';
comment on column private.audit_trees.signed_size is 'Leaves before this index are signed; signed_frontier is the frontier of that size as the signer computed it, its hashes joined.';

create table private.audit_signatures (
  tenant_id uuid not null,
  leaf_index bigint not null,
  signature bytea not null check (length(signature) = 64),
  primary key (tenant_id, leaf_index)
);
comment on table private.audit_signatures is 'Ed25519 over origin, index and hash of each leaf: an altered record is named even where every hash was computed anew.';

create table private.audit_checkpoints (
  tenant_id uuid not null,
  size bigint not null,
  root bytea not null,
  note text not null,
  created_at timestamptz not null default clock_timestamp(),
  number bigint generated always as identity,
  primary key (tenant_id, size)
);
comment on table private.audit_checkpoints is 'Signed notes (C2SP tlog-checkpoint). A copy: what counts is what was pushed outside.';
comment on column private.audit_checkpoints.number is 'In the order of signing: what pushes them outside keeps the last one it pushed.';
create index audit_checkpoints_number_idx on private.audit_checkpoints (number);

create table private.audit_sealer (
  only_row boolean primary key default true check (only_row),
  last_seq bigint not null
);
comment on table private.audit_sealer is 'Every event up to last_seq is a leaf.';

create table private.audit_keys (
  public_key text primary key check (length(public_key) = 44),
  previous_public_key text references private.audit_keys,
  announced_at timestamptz not null default clock_timestamp(),
  check (previous_public_key <> public_key)
);
comment on table private.audit_keys is 'The public keys that signed, each with the one before it. A copy: what counts is the note in which a key names the next one.';
comment on column private.audit_keys.public_key is 'Ed25519, 32 bytes in base64.';
create index audit_keys_previous_public_key_idx on private.audit_keys (previous_public_key);

create function private.leaf_bytes(
  p_event public.audit_events, p_index bigint, p_seq bigint
) returns text
language plpgsql stable set search_path = ''
as $$
begin
  return jsonb_build_object(
    'v', 1,
    'tenant_id', p_event.tenant_id,
    'index', p_index,
    'seq', p_seq,
    'id', p_event.id,
    'type', p_event.type,
    'version', p_event.version,
    'occurred_at', to_char(p_event.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'recorded_at', to_char(p_event.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'actor', p_event.actor,
    'targets', p_event.targets,
    'data', p_event.data,
    'context', p_event.context,
    'personal', p_event.personal
  )::text;
end;
$$;
comment on function private.leaf_bytes(public.audit_events, bigint, bigint) is
  'What is hashed of an event: jsonb as Postgres prints it, times in UTC whatever the session says. In plpgsql, as every function that runs once a row.';

create function private.tree_append(
  p_size bigint, p_frontier bytea[], p_hashes bytea[]
) returns bytea[]
language plpgsql immutable set search_path = ''
as $$
declare
  v_nodes bytea[] := p_hashes; -- neighbours on this level, from v_start on
  v_start bigint := p_size;
  v_left bytea[] := p_frontier; -- subtrees not used yet, the smallest last
  v_small bytea[] := '{}'; -- subtrees that stay, the largest first
  v_count integer;
begin
  while cardinality(v_nodes) > 0 loop
    if v_start % 2 = 1 then
      v_nodes := v_left[cardinality(v_left)] || v_nodes;
      v_left := trim_array(v_left, 1);
    end if;
    v_count := cardinality(v_nodes);
    if v_count % 2 = 1 then
      v_small := v_nodes[v_count] || v_small;
    end if;
    select coalesce(array_agg(
        sha256('\x01'::bytea || pair.node || pair.next) order by pair.at), '{}')
      into v_nodes
      from (
        select n.at, n.node, lead(n.node) over (order by n.at) as next
          from unnest(v_nodes) with ordinality as n (node, at)) pair
     where pair.at % 2 = 1 and pair.next is not null;
    v_start := v_start / 2;
  end loop;
  return v_left || v_small;
end;
$$;
comment on function private.tree_append(bigint, bytea[], bytea[]) is
  'The frontier after further leaves: level by level, each level in one statement (0.9 µs a leaf in batches of 1,000; 9 µs leaf by leaf).';

create function private.tree_root(p_frontier bytea[]) returns bytea
language plpgsql immutable set search_path = ''
as $$
declare
  v_root bytea := p_frontier[cardinality(p_frontier)];
begin
  for i in reverse cardinality(p_frontier) - 1 .. 1 loop
    v_root := sha256('\x01'::bytea || p_frontier[i] || v_root);
  end loop;
  return coalesce(v_root, sha256('')); -- the empty tree's, RFC 6962
end;
$$;
comment on function private.tree_root(bytea[]) is 'The root of the tree that has this frontier (RFC 6962, section 2.1).';

create function private.seal_events(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_after bigint;
  v_last bigint;
  v_count integer;
  v_batch record;
  v_tree private.audit_trees;
  v_frontier bytea[];
begin
  if not pg_try_advisory_xact_lock(779, 7) then
    return 0; -- another sealer is at it
  end if;
  insert into private.audit_sealer (last_seq) values (0) on conflict do nothing;
  select last_seq into v_after from private.audit_sealer;
  select max(seq), count(*) into v_last, v_count
    from (select seq from private.audit_sequence where seq > v_after order by seq limit p_limit) s;
  if v_count = 0 then
    return 0;
  end if;
  for v_batch in
    with found as (
      -- An event that is gone before it was sealed has no leaf; verify_audit names it.
      select s.seq, s.tenant_id, s.recorded_at, s.event_id, e as event,
             coalesce(t.size, 0) - 1
               + row_number() over (partition by s.tenant_id order by s.seq) as leaf_index
        from private.audit_sequence s
        join public.audit_events e
          on e.tenant_id = s.tenant_id and e.recorded_at = s.recorded_at and e.id = s.event_id
        left join private.audit_trees t on t.tenant_id = s.tenant_id
       where s.seq > v_after and s.seq <= v_last
    ), written as materialized (
      select *, private.leaf_bytes(event, leaf_index, seq) as bytes from found
    ), added as (
      insert into private.audit_leaves
        (tenant_id, leaf_index, seq, recorded_at, event_id, bytes, hash)
      select tenant_id, leaf_index, seq, recorded_at, event_id, bytes,
             sha256('\x00'::bytea || convert_to(bytes, 'UTF8'))
        from written
      returning tenant_id, leaf_index, hash
    )
    select tenant_id, count(*) as leaves, array_agg(hash order by leaf_index) as hashes
      from added group by tenant_id
  loop
    select * into v_tree from private.audit_trees where tenant_id = v_batch.tenant_id;
    v_frontier := private.tree_append(
      coalesce(v_tree.size, 0), coalesce(v_tree.frontier, '{}'), v_batch.hashes);
    insert into private.audit_trees (tenant_id, size, frontier, root)
    values (v_batch.tenant_id, v_batch.leaves, v_frontier, private.tree_root(v_frontier))
    on conflict (tenant_id) do update set
      size = audit_trees.size + excluded.size, frontier = excluded.frontier, root = excluded.root;
  end loop;
  update private.audit_sealer set last_seq = v_last;
  return v_count;
end;
$$;
comment on function private.seal_events(integer) is
  'Makes leaves of the next events in order, at most so many; returns how many it went through. Takes no lock that a writer waits for. Two at once: one returns 0. Definer: leaves are private.';

create function private.list_unsigned(p_limit integer, p_without uuid[] default '{}')
returns table (tenant_id uuid, size bigint, frontier bytea, hashes bytea)
language sql stable security definer set search_path = ''
as $$
  with waiting as (
    select t.tenant_id, t.signed_size, t.signed_frontier, t.size - t.signed_size as leaves,
           sum(t.size - t.signed_size) over (order by t.tenant_id) as until_here
      from private.audit_trees t
     where t.size > t.signed_size and t.tenant_id <> all (p_without)
  )
  select w.tenant_id, w.signed_size, w.signed_frontier, (
      select string_agg(l.hash, '' order by l.leaf_index)
        from private.audit_leaves l
       where l.tenant_id = w.tenant_id and l.leaf_index >= w.signed_size
         and l.leaf_index < w.signed_size + least(w.leaves, p_limit))
    from waiting w
   where w.until_here - w.leaves < p_limit
$$;
comment on function private.list_unsigned(integer, uuid[]) is
  'Leaves that wait to be signed, at most so many of a tenant, and the frontier before them; hashes joined. p_without: tenants to pass over. Definer: leaves are private.';

create function private.announce_audit_key(
  p_key text, p_previous text, p_succession text
) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
begin
  insert into private.audit_keys (public_key, previous_public_key) values (p_key, p_previous)
  on conflict do nothing;
  if found and p_previous is not null then
    perform private.record_event(private.platform_tenant(), 'audit.key_changed', '[]',
      jsonb_build_object('public_key', p_key, 'previous_public_key', p_previous,
        'succession', p_succession));
  end if;
  return not exists (select from private.audit_keys where previous_public_key = p_key);
end;
$$;
comment on function private.announce_audit_key(text, text, text) is
  'A signer says which key it signs with: audit.key_changed, once, in the platform''s log. False when that key has a successor: it signs no more. Definer: keys are private, and callers cannot write events.';

create function private.store_signatures(
  p_tenant uuid, p_size bigint, p_signatures bytea, p_frontier bytea, p_root bytea, p_note text,
  p_key text
) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_size bigint := p_size + length(p_signatures) / 64;
begin
  if exists (select from private.audit_keys where previous_public_key = p_key) then
    return false; -- while workers are started anew, the one with the former key gives way
  end if;
  update private.audit_trees
     set signed_size = v_size, signed_frontier = p_frontier
   where tenant_id = p_tenant and signed_size = p_size and size >= v_size;
  if not found then
    return false; -- another signer was here
  end if;
  insert into private.audit_signatures (tenant_id, leaf_index, signature)
  select p_tenant, i, substring(p_signatures from ((i - p_size) * 64 + 1)::integer for 64)
    from generate_series(p_size, v_size - 1) i;
  insert into private.audit_checkpoints (tenant_id, size, root, note)
  values (p_tenant, v_size, p_root, p_note);
  return true;
end;
$$;
comment on function private.store_signatures(uuid, bigint, bytea, bytea, bytea, text, text) is
  'Keeps what the signer made of the leaves from p_size on: 64 bytes each, the frontier and root after them, the signed note. False when they were signed already, or p_key has a successor. Definer: leaves are private.';

create function private.report_fork(
  p_tenant uuid, p_size bigint, p_known_size bigint
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_targets jsonb := jsonb_build_array(jsonb_build_object('kind', 'tenant', 'id', p_tenant));
  v_data jsonb := jsonb_build_object('size', p_size, 'known_size', p_known_size);
begin
  if not exists (
    select from public.audit_events e
     where e.tenant_id = private.platform_tenant() and e.type = 'audit.forked'
       and e.targets = v_targets and e.data = v_data)
  then
    perform private.record_event(private.platform_tenant(), 'audit.forked', v_targets, v_data);
  end if;
end;
$$;
comment on function private.report_fork(uuid, bigint, bigint) is
  'The signer refuses a tenant''s log: audit.forked, once, in the platform''s log, for the tenant''s own is not to be trusted. Definer: callers cannot write events.';

create function private.list_checkpoints() returns table (tenant_id uuid, size bigint, note text)
language sql stable security definer set search_path = ''
as $$
  select t.tenant_id, c.size, c.note
    from private.audit_trees t
    cross join lateral (
      select * from private.audit_checkpoints c
       where c.tenant_id = t.tenant_id order by c.size desc limit 1) c
$$;
comment on function private.list_checkpoints() is 'The newest checkpoint of each tenant. Definer: checkpoints are private.';
