-- What callers may call, as POST /rest/v1/rpc/<name>.

create function public.list_events(
  tenant_id uuid, after_seq bigint default 0, "limit" integer default 100, types text[] default null
) returns table (
  seq bigint, id uuid, type text, version integer, occurred_at timestamptz, recorded_at timestamptz,
  actor jsonb, targets jsonb, data jsonb, context jsonb
)
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_patterns text[] := array(
    select case when t like '%.*' then left(t, -1) else t end
        || case when t like '%.*' then '%' else '' end
      from (
        select regexp_replace(u, '([\\%_])', '\\\1', 'g')
          from unnest(list_events.types) u) x (t));
  v_newest bigint;
begin
  perform private.require_right(list_events.tenant_id, 'audit.read');
  return query
    select f.seq, (f.event).id, (f.event).type, (f.event).version, (f.event).occurred_at,
           (f.event).recorded_at, p.actor, p.targets, p.data, p.context
      from (
        select s.seq, e.event
          from private.audit_sequence s
          -- offset 0 keeps it a probe a row, in order, until the page is full: as a join it was the whole log, sorted.
          cross join lateral (
            select a from public.audit_events a
             where a.tenant_id = s.tenant_id and a.recorded_at = s.recorded_at
               and a.id = s.event_id
            offset 0) e (event)
         where s.tenant_id = list_events.tenant_id and s.seq > list_events.after_seq
           and (list_events.types is null or (e.event).type like any (v_patterns))
         order by s.seq
         limit least(greatest(list_events."limit", 1), 1000)) f
      cross join lateral private.merge_personal(f.event) p
     order by f.seq;
  if not found then -- else the log goes on beyond after_seq
    select coalesce(max(z.last_seq), 0) into v_newest from private.audit_sequencer z;
    if list_events.after_seq > v_newest then
      perform private.refuse(409, 'cursor_ahead',
        format('Cannot list events after seq %s: the newest is %s',
          list_events.after_seq, v_newest));
    end if;
  end if;
end;
$$;
comment on function public.list_events(uuid, bigint, integer, text[]) is
  'The tenant''s log in order, after a seq, at most 1000 a page, of these types and prefixes such as tenant.*: keep the last seq and ask again; nothing is skipped or repeated, also when the database is put back from a backup. Personal values are in their places, null once erased. '
  'Errors: 403 not_allowed; 409 cursor_ahead: no such seq was given out yet, as for some seconds after a restore. Keep it and ask again. Definer: the sequence is private; checks audit.read itself.';

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
