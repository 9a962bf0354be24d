-- How long attempts and settled deliveries are kept: settings webhooks.attempts_retention_days and webhooks.deliveries_retention_days.
-- functions/_worker/tasks/deliveries__retain.ts runs it every night. The events themselves stay: they are the log's.

create function private.retain_deliveries(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_attempts interval := private.days_setting('webhooks.attempts_retention_days', 30);
  v_deliveries interval := private.days_setting('webhooks.deliveries_retention_days', 90);
  v_gone integer;
  v_more integer;
begin
  delete from public.webhook_attempts a
   where a.ctid = any (array(
     select o.ctid from public.webhook_attempts o
      where o.started_at < now() - v_attempts limit p_limit));
  get diagnostics v_gone = row_count;
  with gone as (
    delete from public.webhook_deliveries d
     where d.ctid = any (array(
       select o.ctid from public.webhook_deliveries o
        where o.state <> 'pending' and o.settled_at < now() - v_deliveries
        limit greatest(p_limit - v_gone, 0)))
    returning d.tenant_id, d.id
  ), with_them as (
    delete from public.webhook_attempts a using gone g
     where a.tenant_id = g.tenant_id and a.delivery_id = g.id
  )
  select count(*) into v_more from gone;
  return v_gone + v_more;
end;
$$;
comment on function private.retain_deliveries(integer) is
  'Deletes attempts and settled deliveries past their retention, at most so many; returns how many. A delivery takes what is left of its attempts with it. Definer: nobody else deletes them.';
