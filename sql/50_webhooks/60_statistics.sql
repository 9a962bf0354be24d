-- How it goes with a tenant's endpoints, for its readers: by day as POST /rest/v1/rpc/webhook_statistics, by period and by attempt as views.

create function public.webhook_statistics(
  tenant_id uuid, endpoint_id uuid default null,
  since date default (now() at time zone 'UTC')::date - 6,
  until date default (now() at time zone 'UTC')::date
) returns table (
  endpoint uuid, day date, attempts bigint, succeeded bigint, success_rate numeric,
  p50_ms integer, p95_ms integer
)
language sql stable set search_path = ''
as $$
  select d.endpoint_id, (a.started_at at time zone 'UTC')::date, count(*),
         count(*) filter (where a.status between 200 and 299),
         round(avg((coalesce(a.status, 0) between 200 and 299)::integer), 4),
         round(percentile_cont(0.5) within group (order by a.duration_ms))::integer,
         round(percentile_cont(0.95) within group (order by a.duration_ms))::integer
    from public.webhook_attempts a
    join public.webhook_deliveries d on d.tenant_id = a.tenant_id and d.id = a.delivery_id
   where a.tenant_id = webhook_statistics.tenant_id
     and d.tenant_id = webhook_statistics.tenant_id
     and (webhook_statistics.endpoint_id is null
       or d.endpoint_id = webhook_statistics.endpoint_id)
     and a.started_at >= webhook_statistics.since::timestamp at time zone 'UTC'
     and a.started_at < (webhook_statistics.until + 1)::timestamp at time zone 'UTC'
   group by 1, 2
   order by 1, 2
$$;
comment on function public.webhook_statistics(uuid, uuid, date, date) is
  'Attempts of a tenant''s endpoints by endpoint and day (UTC), both days included, a week unless told otherwise: how many, how many were answered 2xx, that share, and how long they took (median and 95th percentile, ms). '
  'Runs as the caller: who may not read the attempts gets no row. Reaches back as far as attempts are kept.';

-- What PostgREST embeds: GET /rest/v1/webhook_deliveries?select=*,webhook_attempts(*). A foreign key would do it too, and cost each attempt a
-- look-up and a lock on its delivery, a tenth of what sending takes in the database.
create function public.webhook_attempts(delivery public.webhook_deliveries)
returns setof public.webhook_attempts
language sql stable set search_path = ''
as $$
  select a.* from public.webhook_attempts a
   where a.tenant_id = delivery.tenant_id and a.delivery_id = delivery.id
$$;
comment on function public.webhook_attempts(public.webhook_deliveries) is
  'The attempts of a delivery, as an embedded resource. Runs as the caller: who may not read the attempts gets none.';

-- Few of the attempts, so nearly free to keep: a page of them does not pass by what was delivered in between.
create index webhook_attempts_failed_idx on public.webhook_attempts (tenant_id, started_at)
  where status is null or status < 200 or status > 299;

create view public.webhook_attempt_log with (security_invoker = true) as
  select a.tenant_id, d.endpoint_id, a.delivery_id, d.event_id, d.event_type, a.number,
         a.started_at, a.duration_ms, a.status, a.error_class,
         a.status is null or a.status < 200 or a.status > 299 as failed,
         a.response_headers, a.response_body
    from public.webhook_attempts a
    join public.webhook_deliveries d on d.tenant_id = a.tenant_id and d.id = a.delivery_id;
comment on view public.webhook_attempt_log is
  'Every attempt with its endpoint and event. Newest first without a sort: failed ones by started_at, all of an endpoint by delivery_id and number.';
comment on column public.webhook_attempt_log.failed is 'Not answered 2xx.';

create view public.webhook_endpoint_statistics with (security_invoker = true) as
  select e.tenant_id, e.id as endpoint_id, p.period, a.attempts, a.succeeded, a.success_rate,
         a.p50_ms, a.p95_ms, s.last_success_at, l.waiting, l.dead
    from public.webhook_endpoints e
    join public.webhook_endpoint_states s on s.tenant_id = e.tenant_id and s.endpoint_id = e.id
    cross join (values ('24 hours', interval '24 hours'), ('7 days', interval '7 days'))
      p (period, length)
    cross join lateral (
      select (select count(*) from public.webhook_deliveries d
               where d.tenant_id = e.tenant_id and d.endpoint_id = e.id
                 and d.state = 'pending') as waiting,
             (select count(*) from public.webhook_deliveries d
               where d.tenant_id = e.tenant_id and d.endpoint_id = e.id
                 and d.state = 'dead' and d.replayed_as is null) as dead) l
    cross join lateral (
      select count(*) as attempts,
             count(*) filter (where t.status between 200 and 299) as succeeded,
             round(avg((coalesce(t.status, 0) between 200 and 299)::integer), 4) as success_rate,
             round(percentile_cont(0.5) within group (order by t.duration_ms))::integer as p50_ms,
             round(percentile_cont(0.95) within group (order by t.duration_ms))::integer as p95_ms
        from (
          -- no attempt begins after its delivery is settled: these are all that may have one
          select d.tenant_id, d.id from public.webhook_deliveries d
           where d.tenant_id = e.tenant_id and d.endpoint_id = e.id
             and d.settled_at > now() - p.length
          union all
          select d.tenant_id, d.id from public.webhook_deliveries d
           where d.tenant_id = e.tenant_id and d.endpoint_id = e.id
             and d.state = 'pending' and d.attempts > 0) d
        -- offset 0 keeps it a probe a delivery: as a join it read what all tenants tried in the period
        cross join lateral (
          select t.status, t.duration_ms from public.webhook_attempts t
           where t.tenant_id = d.tenant_id and t.delivery_id = d.id
             and t.started_at > now() - p.length
          offset 0) t) a
   where e.removed_at is null;
comment on view public.webhook_endpoint_statistics is
  'Each endpoint over the last 24 hours and the last 7 days, a row each: attempts, how many were answered 2xx, that share, and how long they took (median and 95th percentile, ms; null without an attempt). '
  'As of now: the last success, what waits to be sent, and what is dead and not replayed.';
comment on column public.webhook_endpoint_statistics.period is '24 hours or 7 days, until now.';
comment on column public.webhook_endpoint_statistics.success_rate is 'Of the attempts, 0 to 1; null without one.';
