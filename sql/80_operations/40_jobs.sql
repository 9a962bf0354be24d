-- Sweeps that keep the queue and provisioning moving whatever died. Called by functions/_worker.

create function private.unlock_dead_workers() returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_dead text[];
begin
  -- Each pool holds advisory lock (778, hashtext(pool id)) while it lives; the queue's own remedy takes four hours.
  select array_agg(distinct held.locked_by) into v_dead
    from (
      select locked_by from graphile_worker._private_jobs
       where locked_at < now() - interval '2 seconds'
      union
      select locked_by from graphile_worker._private_job_queues
       where locked_at < now() - interval '2 seconds') held
   where held.locked_by is not null and not exists (
     select from pg_locks l
      where l.locktype = 'advisory' and l.granted and l.classid = 778
        and l.objid = (hashtext(held.locked_by)::bigint & 4294967295)::oid
        and l.database = (select oid from pg_database where datname = current_database()));
  if v_dead is null then
    return 0;
  end if;
  -- An endpoint that a dead pump held is anybody's now, not when its time runs out.
  update public.webhook_endpoint_states s set pump = null, pump_until = null
    from graphile_worker._private_jobs j
   where j.locked_by = any (v_dead) and j.key like 'endpoint\_\_pump:%'
     and s.tenant_id = (j.payload ->> 'tenantId')::uuid
     and s.endpoint_id = (j.payload ->> 'id')::uuid and s.pump is not null;
  perform graphile_worker.force_unlock_workers(v_dead);
  return cardinality(v_dead);
end;
$$;
comment on function private.unlock_dead_workers() is 'Frees what dead worker pools had locked, endpoints too; returns how many pools. Definer: the queue is its owner''s.';

create function private.find_stuck_tenants(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_tenant record;
  v_queued integer := 0;
begin
  for v_tenant in
    select t.id
      from public.tenants t
      join public.provisioning_steps s on s.tenant_id = t.id
     where t.status <> 'archived' and s.required and s.state in ('pending', 'error')
       and not exists (
         select from graphile_worker._private_jobs j
          where j.key in ('tenant__reconcile:' || t.id,
              case t.kind when 'platform' then 'instance__reconcile' end)
            and (j.locked_at is not null or j.is_available))
     group by t.id
    having max(s.updated_at) < now() - make_interval(
      mins => least(power(2, least(max(s.attempts), 6))::integer, 60))
     limit p_limit
  loop
    perform private.enqueue_reconcile(v_tenant.id);
    v_queued := v_queued + 1;
  end loop;
  return v_queued;
end;
$$;
comment on function private.find_stuck_tenants(integer) is
  'Enqueues tenants with a required step unsettled and no job, after 2^attempts minutes, 60 at most; returns how many. Definer: the queue is its owner''s.';
