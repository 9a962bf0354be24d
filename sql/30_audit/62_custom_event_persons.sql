-- What a tenant's own event may say beyond ids: who acted, and names and metadata of what it is about. All of it is personal and stands beside the event, in one slot;
-- here stands whose it is, so that it goes when one of them is erased. Called by private.write_custom_event (36_custom_event_types.sql).
create table private.custom_event_persons (
  tenant_id uuid not null,
  event_recorded_at timestamptz not null,
  event_id uuid not null,
  slot text not null default 'target' check (slot = 'target'),
  path text not null,
  user_id uuid not null,
  primary key (tenant_id, event_recorded_at, event_id, slot, path),
  foreign key (tenant_id, event_recorded_at, event_id, slot)
    references private.audit_personal (tenant_id, event_recorded_at, event_id, slot)
    on delete cascade
);
comment on table private.custom_event_persons is
  'Of whom the personal values of a tenant''s own event speak. Goes with them.';
comment on column private.custom_event_persons.path is
  'actor or targets.<n>: the values whose path begins so are theirs.';
comment on column private.custom_event_persons.user_id is
  'users.id. No foreign key: it outlives the row.';
create index custom_event_persons_user_id_idx on private.custom_event_persons (user_id);

create function private.find_person(p_id text) returns uuid
language sql stable set search_path = ''
as $$
  select coalesce(
    (select u.id from public.users u where u.id = private.as_uuid(p_id)),
    (select u.id from public.users u
      where u.issuer = private.zitadel_issuer() and u.subject = p_id))
$$;
comment on function private.find_person(text) is
  'users.id of a person as an application knows them: by that id, or by the sub of their tokens; null when it is nobody of ours.';

create function private.custom_event_actor(p_tenant uuid, p_actor jsonb) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_kind text := p_actor ->> 'kind';
  v_id text := p_actor ->> 'id';
  v_known record;
begin
  select 'user' as kind, u.id,
         coalesce(u.home_tenant_id, private.platform_tenant()) = p_tenant or exists (
           select from public.assignments a
            where a.tenant_id = p_tenant and a.user_id = u.id) as is_here
    into v_known
    from public.users u where u.id = private.find_person(v_id)
  union all
  select 'service', s.id, s.tenant_id = p_tenant
    from public.service_accounts s
   where s.id = private.as_uuid(v_id)
      or s.issuer = private.zitadel_issuer() and s.subject = v_id
   limit 1;
  if coalesce(v_kind not in ('user', 'service') or length(v_id) not between 1 and 200, true)
    or v_known.id is not null and (not v_known.is_here or v_known.kind <> v_kind)
  then
    perform private.refuse(422, 'event_actor_refused',
      format('Cannot record an event of %s "%s": an actor is a user or a service of the tenant, '
          || 'or one that only its application knows',
        left(v_kind, 50), left(v_id, 200)));
  end if;
  return jsonb_build_object('kind', v_kind, 'id', coalesce(v_known.id::text, v_id));
end;
$$;
comment on function private.custom_event_actor(uuid, jsonb) is
  '{kind, id} of who acted, as the log says it: a person or service of ours by our id, anybody else as given. Raises event_actor_refused for another kind, and for another tenant''s.';

create function private.split_custom_event(
  p_actor jsonb, p_name jsonb, p_targets jsonb,
  out actor jsonb, out targets jsonb, out personal jsonb
)
language sql stable set search_path = ''
as $$
  with given as (
    select 'actor' as path, p_actor as part, 'name' as member, p_name as value
     where jsonb_typeof(p_name) = 'string'
    union all
    select 'targets.' || t.n - 1, t.part, m.key, m.value
      from jsonb_array_elements(p_targets) with ordinality as t (part, n), jsonb_each(t.part) m
     where m.key in ('name', 'metadata')
  )
  select p_actor || (
           select coalesce(jsonb_object_agg(g.member, null), '{}') from given g
            where g.path = 'actor'),
         (select coalesce(jsonb_agg(t.part || coalesce((
             select jsonb_object_agg(g.member, null) from given g
              where g.path = 'targets.' || t.n - 1), '{}') order by t.n), '[]')
            from jsonb_array_elements(p_targets) with ordinality as t (part, n)),
         (select jsonb_object_agg(g.path || '.' || g.member, g.value) from given g)
$$;
comment on function private.split_custom_event(jsonb, jsonb, jsonb) is
  'Takes the actor''s name and the targets'' names and metadata out: null stays in their place, they come as {path: value}; null when there is none.';

create function private.custom_event_persons_of(p_actor jsonb, p_targets jsonb, p_personal jsonb)
returns table (path text, user_id uuid)
language sql stable set search_path = ''
as $$
  select x.path, private.find_person(x.part ->> 'id')
    from (
      select 'actor' as path, p_actor as part
      union all
      select 'targets.' || t.n - 1, t.part
        from jsonb_array_elements(p_targets) with ordinality as t (part, n)) x
   where x.part ->> 'kind' = 'user' and private.find_person(x.part ->> 'id') is not null
     and exists (
       select from jsonb_object_keys(p_personal) k where starts_with(k, x.path || '.'))
$$;
comment on function private.custom_event_persons_of(jsonb, jsonb, jsonb) is
  'Which values of an event speak of which person of ours.';
