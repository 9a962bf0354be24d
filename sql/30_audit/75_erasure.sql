-- A person is erased: their values and salts go from beside every event, their row keeps nothing but the ids by which its tokens are refused. The events
-- stay as they were sealed, so everything still verifies. functions/_worker/tasks/user__remove.ts then removes them at ZITADEL.
-- Next: 91_persons_api.sql (erase_person, export_person).

create function private.emails_of(p_user uuid) returns text[]
language sql stable set search_path = ''
as $$
  select array(
    select lower(v.value)
      from private.audit_personal p, jsonb_each_text(p.value) v
     where p.user_id = p_user and v.key in ('data.before.email', 'data.after.email')
    union
    select lower(u.email) from public.users u where u.id = p_user and u.email is not null)
$$;
comment on function private.emails_of(uuid) is
  'Every address that the person has or had, in lower case, as far as the log still knows.';

create function private.remove_values_of(p_user uuid, p_home uuid, p_emails text[]) returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  v_events integer;
begin
  with gone as (
    delete from private.audit_personal p
     where p.user_id = p_user
        -- A tenant's row names its first administrator and knows no users.id.
        or p.tenant_id = p_home and p.user_id is null and p.slot = 'target'
          and array[lower(p.value ->> 'data.before.admin_email'),
            lower(p.value ->> 'data.after.admin_email')] && p_emails
    returning p.event_id
  ), named as (
    -- Values of one slot go together: those of others beside the same event too.
    delete from private.audit_personal p using private.custom_event_persons c
     where c.user_id = p_user and p.tenant_id = c.tenant_id
       and p.event_recorded_at = c.event_recorded_at and p.event_id = c.event_id
       and p.slot = c.slot
    returning p.event_id
  )
  select count(distinct event_id) into v_events
    from (select event_id from gone union all select event_id from named) x;
  return v_events;
end;
$$;
comment on function private.remove_values_of(uuid, uuid, text[]) is
  'Removes the values and salts of a person beside every event; returns how many events had any.';

create function private.erase_user(p_user public.users) returns integer
language plpgsql volatile set search_path = ''
as $$
declare
  v_emails text[] := private.emails_of(p_user.id);
  v_events integer;
begin
  if p_user.id is null then
    perform private.refuse(404, 'user_not_found', 'There is no such user');
  end if;
  perform private.lock_holds();
  if private.is_held(coalesce(p_user.home_tenant_id, private.platform_tenant())) or exists (
    select from private.audit_personal p
     where p.user_id = p_user.id and private.is_held(p.tenant_id)
    union all
    select from private.custom_event_persons c
     where c.user_id = p_user.id and private.is_held(c.tenant_id))
  then
    perform private.refuse(409, 'legal_hold',
      format('Cannot erase user %s: a legal hold is open', p_user.id));
  end if;
  update public.users
     set login_name = null, display_name = null, given_name = null, family_name = null,
         email = null, email_verified = false, preferred_language = null, state = 'removed',
         tokens_valid_after = clock_timestamp(), last_seen_at = null,
         erased_at = coalesce(erased_at, clock_timestamp())
   where id = p_user.id;
  update public.tenants
     set admin_email = null, admin_given_name = null, admin_family_name = null
   where id = p_user.home_tenant_id and lower(admin_email) = any (v_emails);
  update public.sign_in_sessions set ended_at = clock_timestamp()
   where user_id = p_user.id and ended_at is null;
  delete from private.zitadel_session_agents g
   where g.session_id in (
     select z.session_id from private.zitadel_sessions z where z.subject = p_user.subject
     union all select s.id from public.sign_in_sessions s where s.user_id = p_user.id);
  delete from private.zitadel_sessions where subject = p_user.subject;
  -- What is not on record yet leaves no address behind either.
  delete from private.refused_sign_in_origins o
   where o.account = private.account_hash(o.tenant_id, p_user.subject, null);
  update private.refused_sign_ins set context = '{}' where user_id = p_user.id;
  delete from private.zitadel_events_refused where event ->> 'aggregateId' = p_user.subject;
  perform private.forget_mails_of(p_user.subject);
  -- Last: the changes above were recorded too, with what was there before.
  v_events := private.remove_values_of(p_user.id, p_user.home_tenant_id, v_emails);
  if p_user.erased_at is null then
    perform private.record_event(
      coalesce(p_user.home_tenant_id, private.platform_tenant()), 'user.erased',
      jsonb_build_array(jsonb_build_object('kind', 'user', 'id', p_user.id)),
      jsonb_build_object('events', v_events));
    if p_user.id = private.current_user_id() then -- where the request came from is theirs too
      perform private.remove_values_of(p_user.id, null, '{}');
    end if;
  end if;
  if p_user.issuer = private.zitadel_issuer() then
    perform private.enqueue('user__remove', jsonb_build_object('userId', p_user.id),
      'user__remove:' || p_user.id);
  end if;
  return v_events;
end;
$$;
comment on function private.erase_user(public.users) is
  'Blanks the row, ends the sessions, removes the values beside the log, records user.erased, has ZITADEL''s user removed. Returns how many events had values. Raises user_not_found, legal_hold. Called by erase_person only.';

create function private.export_user(p_user public.users) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_own text := p_user.id;
  v_tenants uuid[];
begin
  if p_user.id is null then
    perform private.refuse(404, 'user_not_found', 'There is no such user');
  end if;
  v_tenants := array(
    select coalesce(p_user.home_tenant_id, private.platform_tenant())
    union select a.tenant_id from public.assignments a where a.user_id = p_user.id
    union select s.tenant_id from public.sign_in_sessions s where s.user_id = p_user.id
    union select p.tenant_id from private.audit_personal p where p.user_id = p_user.id
    union select c.tenant_id from private.custom_event_persons c where c.user_id = p_user.id);
  return jsonb_build_object(
    'exported_at', clock_timestamp(),
    'user', to_jsonb(p_user) - 'zitadel_sequence',
    'assignments', (
      select coalesce(jsonb_agg(to_jsonb(a) - 'principal_id' order by a.created_at), '[]')
        from public.assignments a where a.user_id = p_user.id),
    'sessions', (
      select coalesce(jsonb_agg(to_jsonb(s) order by s.signed_in_at), '[]')
        from public.sign_in_sessions s where s.user_id = p_user.id),
    'events', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'id', e.id, 'tenant_id', e.tenant_id, 'type', e.type, 'occurred_at', e.occurred_at,
          'actor', e.actor ->> 'id' is not distinct from v_own,
          -- What others did that does not concern the person is not theirs to know.
          'data', case when e.is_target then e.data end,
          'values', (
            select jsonb_object_agg(v.key, v.value)
              from private.audit_personal p, jsonb_each(p.value) v
             where p.tenant_id = e.tenant_id and p.event_recorded_at = e.recorded_at
               and p.event_id = e.id
               and (p.user_id = p_user.id or exists (
                 select from private.custom_event_persons c
                  where c.tenant_id = p.tenant_id and c.event_recorded_at = p.event_recorded_at
                    and c.event_id = p.event_id and c.slot = p.slot
                    and c.user_id = p_user.id and starts_with(v.key, c.path || '.'))))
        ) order by e.recorded_at, e.id), '[]')
        from (
          select a.*, a.targets @> jsonb_build_array(
                jsonb_build_object('kind', 'user', 'id', v_own))
              or v_own in (a.data -> 'after' ->> 'user_id', a.data -> 'before' ->> 'user_id')
              or exists (
                select from private.custom_event_persons c
                 where c.tenant_id = a.tenant_id and c.event_recorded_at = a.recorded_at
                   and c.event_id = a.id and c.user_id = p_user.id and c.path <> 'actor')
              as is_target
            from public.audit_events a where a.tenant_id = any (v_tenants)
        ) e
       where e.is_target or e.actor ->> 'id' = v_own));
end;
$$;
comment on function private.export_user(public.users) is
  'Everything known of a person (export_person says what). Raises user_not_found. Called by export_person only.';

create function private.erased_subject(p_user uuid) returns text
language sql stable security definer set search_path = ''
as $$
  select subject from public.users
   where id = p_user and erased_at is not null and issuer = private.zitadel_issuer()
$$;
comment on function private.erased_subject(uuid) is
  'ZITADEL''s id of an erased person, to be removed there; null for anybody else. Definer: runs for jobs.';
