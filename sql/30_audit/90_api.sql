-- What callers may call, as POST /rest/v1/rpc/<name>.

create function public.list_events(
  tenant_id uuid, after_seq bigint default 0, "limit" integer default 100, types text[] default null
) returns table (
  seq bigint, id uuid, type text, version integer, occurred_at timestamptz, recorded_at timestamptz,
  actor jsonb, targets jsonb, data jsonb, context jsonb
)
language plpgsql stable security definer set search_path = ''
as $$
begin
  perform private.require_right(list_events.tenant_id, 'audit.read');
  return query
    select s.seq, e.id, e.type, e.version, e.occurred_at, e.recorded_at,
           p.actor, p.targets, p.data, p.context
      from private.audit_sequence s
      join public.audit_events e
        on e.tenant_id = s.tenant_id and e.recorded_at = s.recorded_at and e.id = s.event_id
      cross join lateral private.merge_personal(e) p
     where s.tenant_id = list_events.tenant_id and s.seq > list_events.after_seq
       and (list_events.types is null or e.type = any (list_events.types))
     order by s.seq
     limit least(greatest(list_events."limit", 1), 1000);
end;
$$;
comment on function public.list_events(uuid, bigint, integer, text[]) is
  'The tenant''s log in order, after a seq, at most 1000 a page: keep the last seq and ask again; nothing is skipped or repeated. Personal values are in their places, null once erased. Errors: 403 not_allowed. Definer: the sequence is private; checks audit.read itself.';

create function public.personal_values(event public.audit_events) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
begin
  if event.personal is null then
    return null;
  end if;
  perform private.require_right(event.tenant_id, 'audit.read');
  return private.personal_of(event);
end;
$$;
comment on function public.personal_values(public.audit_events) is
  'A computed column, GET /rest/v1/audit_events?select=*,personal_values: {path: value}, null when there are none or they are erased. Errors: 403 not_allowed. '
  'Definer: the table is private; checks audit.read itself.';
