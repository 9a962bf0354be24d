-- What callers may call, as POST /rest/v1/rpc/<name>.

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
