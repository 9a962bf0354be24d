-- How far the seal is behind what was committed. Nothing else tells of it: while any transaction of this database that has an id stays open, the sequencer
-- waits for it, so the log, its sinks and its seal stand still and all that has a seq is up to date.
create function private.audit_lag(
  p_signed boolean default true, p_without uuid[] default '{}'
) returns jsonb
language sql stable security definer set search_path = ''
as $$
  with unsequenced as (
    select e.recorded_at from public.audit_events e
     where e.xid >= coalesce((select z.horizon from private.audit_sequencer z), '3')
       and not exists (
         select from private.audit_sequence s
          where s.tenant_id = e.tenant_id and s.recorded_at = e.recorded_at and s.event_id = e.id)
     order by e.xid limit 10000
  ), unsealed as (
    select s.recorded_at from private.audit_sequence s
     where s.seq > coalesce((select last_seq from private.audit_sealer), 0)
     order by s.seq limit 10000
  ), unsigned as (
    select t.size - t.signed_size as events, l.recorded_at
      from private.audit_trees t
      left join private.audit_leaves l
        on l.tenant_id = t.tenant_id and l.leaf_index = t.signed_size
     where t.size > t.signed_size and p_signed and t.tenant_id <> all (p_without)
  )
  select jsonb_build_object(
    'unsequenced', (select count(*) from unsequenced),
    'unsealed', (select count(*) from unsealed),
    'unsigned', (select coalesce(sum(events), 0)::bigint from unsigned),
    'seconds', greatest(0, coalesce(floor(extract(epoch from clock_timestamp() - least(
      (select min(recorded_at) from unsequenced), (select min(recorded_at) from unsealed),
      (select min(recorded_at) from unsigned)))), 0))::bigint)
$$;
comment on function private.audit_lag(boolean, uuid[]) is
  'Events that are committed and have no seq, no leaf, no signature yet (10000 at most of the first two), and how long ago the oldest of them was recorded. '
  'p_signed: whether signatures are waited for; p_without: tenants whose log is signed no more. Definer: the log''s tables are private.';

create function public.audit_lag() returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.require_platform('audit.read');
  return private.audit_lag();
end;
$$;
comment on function public.audit_lag() is
  'How far the seal is behind, over all tenants: {unsequenced, unsealed, unsigned, seconds since the oldest of them was recorded}; some seconds are as it should be. Platform staff with audit.read. '
  'Errors: 403 not_allowed. Definer: reads across tenants; checks audit.read on the platform itself.';

create function private.report_seal_lag(p_lag jsonb) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  if pg_try_advisory_xact_lock(779, 23) and not exists (
    select from public.audit_events e
     where e.tenant_id = private.platform_tenant() and e.type = 'audit.seal_late'
       and e.recorded_at > clock_timestamp() - interval '1 hour')
  then
    perform private.record_event(private.platform_tenant(), 'audit.seal_late', '[]', p_lag);
  end if;
end;
$$;
comment on function private.report_seal_lag(jsonb) is
  'What audit_lag gave is too much: audit.seal_late in the platform''s log, once an hour at most. Definer: callers cannot write events.';
