-- The order of the log. Commit order is not id order, so a reader that pages by id or time can skip an event that commits late. The sequencer
-- gives each committed event a seq, and takes only transactions older than every running one of this database.
create table private.audit_sequence (
  seq bigint primary key,
  tenant_id uuid not null,
  recorded_at timestamptz not null,
  event_id uuid not null
);
comment on table private.audit_sequence is 'seq → event. Ascending, dense but for a jump after each restore, append-only; readers, sealing and sinks page by it.';
create unique index audit_sequence_tenant_idx on private.audit_sequence (tenant_id, seq);
create index audit_sequence_event_idx on private.audit_sequence (tenant_id, recorded_at, event_id);

create table private.audit_sequencer (
  only_row boolean primary key default true check (only_row),
  horizon xid8 not null,
  last_seq bigint not null,
  system_id bigint not null,
  table_id oid,
  timeline integer,
  restoring boolean not null default false
);
comment on table private.audit_sequencer is 'Every event of a transaction below horizon has a seq; last_seq is the newest, or what the next one comes after.';
comment on column private.audit_sequencer.system_id is 'The cluster whose transactions horizon speaks of. Another one has restored a dump.';
comment on column private.audit_sequencer.table_id is 'This table''s own oid: another one was made anew, from a dump, also in the same cluster.';
comment on column private.audit_sequencer.timeline is 'Of the cluster''s write-ahead log: a recovery to a point in time and a failover begin another one.';
comment on column private.audit_sequencer.restoring is 'What came with a dump is being numbered, in several batches.';

create function private.seq_after_restore(p_last bigint) returns bigint
language sql immutable parallel safe set search_path = ''
as $$ select (p_last / 1000000000 + 2) * 1000000000 $$;
comment on function private.seq_after_restore(bigint) is
  'What the numbers go on after, once the log went back to p_last: a whole thousand million, and as many at least beyond it, so that none that was given out before is given out again. '
  'A reader keeps its place then. As many are lost with 11 days of a thousand events a second; a JSON number holds nine million such jumps.';

create function private.sequence_horizon() returns xid8
language sql volatile security definer set search_path = ''
as $$
  -- The snapshot counts transactions of the whole cluster. One is passed over only when its lock proves that it belongs to another database.
  with snapshot as (select pg_current_snapshot() as s)
  select coalesce(
    (select min(x) from snapshot, pg_snapshot_xip(s) as x
      where not exists (
        select from pg_locks l join pg_stat_activity a using (pid)
         where l.locktype = 'transactionid' and l.granted and l.transactionid = x::xid
           and a.datname <> current_database())),
    (select pg_snapshot_xmax(s) from snapshot))
$$;
comment on function private.sequence_horizon() is 'Below it every transaction of this database has ended, and this statement sees what it wrote. Definer: runs for jobs.';

create function private.sequence_events(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_state private.audit_sequencer;
  v_horizon xid8;
  v_system bigint := (select system_identifier from pg_control_system());
  v_table constant oid := 'private.audit_sequencer'::regclass;
  -- The one that is written now; pg_control_checkpoint() would tell it a checkpoint later.
  v_timeline constant integer :=
    ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer;
  v_restored boolean;
  v_count integer;
  v_top xid8;
begin
  if not pg_try_advisory_xact_lock(779, 2) then
    return 0; -- another sequencer is at it
  end if;
  insert into private.audit_sequencer (horizon, last_seq, system_id, table_id, timeline)
  values ('3', 0, v_system, v_table, v_timeline) on conflict do nothing;
  select * into v_state from private.audit_sequencer;
  -- Taken before the rows are read: what it promises, the next statement's younger snapshot sees.
  v_horizon := private.sequence_horizon();
  -- A restored dump carries transaction ids of another cluster: then what has no seq yet is found row by row.
  v_restored := v_state.restoring or v_state.system_id <> v_system or v_state.table_id <> v_table
    or v_state.horizon > pg_snapshot_xmax(pg_current_snapshot());
  -- Numbers were perhaps given out that this database knows nothing of: none of them comes again.
  if v_restored and not v_state.restoring or v_state.timeline <> v_timeline then
    v_state.last_seq := private.seq_after_restore(v_state.last_seq);
  end if;
  with batch as materialized (
    select e.tenant_id, e.recorded_at, e.id, e.xid
      from public.audit_events e
     where case when v_restored then not exists (
         select from private.audit_sequence s
          where s.tenant_id = e.tenant_id and s.recorded_at = e.recorded_at and s.event_id = e.id)
       else e.xid >= v_state.horizon and e.xid < v_horizon end
       and (v_restored or not exists (
         select from private.audit_sequence s
          where s.tenant_id = e.tenant_id and s.recorded_at = e.recorded_at and s.event_id = e.id))
     order by e.xid, e.recorded_at, e.id
     limit p_limit
  ), numbered as (
    insert into private.audit_sequence (seq, tenant_id, recorded_at, event_id)
    -- By the moment, as an endpoint in strict order sees them: of two transactions that overlap, the older one may have changed a row last.
    select v_state.last_seq + row_number() over (order by recorded_at, xid, id),
           tenant_id, recorded_at, id
      from batch
    returning seq
  )
  select (select count(*) from numbered), (select max(b.xid) from batch b)
    into v_count, v_top;
  update private.audit_sequencer
     set last_seq = v_state.last_seq + v_count,
         system_id = v_system, table_id = v_table, timeline = v_timeline,
         restoring = v_restored and v_count = p_limit,
         -- A full batch may have stopped inside a transaction: its rest is found from there.
         horizon = case when v_count < p_limit then v_horizon
           when v_restored then v_state.horizon else v_top end;
  return v_count;
end;
$$;
comment on function private.sequence_events(integer) is 'Gives the next events their seq, at most so many; returns how many. After a restore, a recovery or a failover that it can see the numbers jump (seq_after_restore). Two at once: one returns 0. Definer: the sequence is private.';

create function private.declare_restore() returns bigint
language plpgsql volatile set search_path = ''
as $$
declare
  v_last bigint;
begin
  perform pg_advisory_xact_lock(779, 2);
  update private.audit_sequencer set last_seq = private.seq_after_restore(last_seq)
  returning last_seq into v_last;
  return v_last;
end;
$$;
comment on function private.declare_restore() is
  'For an operator, as the owner: the database was put back in a way that it cannot see itself, as by a snapshot of its disk. The numbers of the log jump (seq_after_restore); returns what they go on after, '
  'null when this database has given out none yet. Again is no harm: they jump again.';
