-- What ZITADEL did, taken in: functions/_worker/tasks/zitadel__poll_events.ts polls its event store with an overlapping window, this deduplicates, mirrors users and sessions, and
-- writes the log. One transaction a page: the cursor moves if and only if the page is in.
create table private.zitadel_events_seen (
  aggregate_type text not null,
  aggregate_id text not null,
  sequence bigint not null,
  created_at timestamptz not null,
  primary key (aggregate_type, aggregate_id, sequence)
);
comment on table private.zitadel_events_seen is 'The events that are in, so that an overlapping window takes none twice.';
create index zitadel_events_seen_created_at_idx on private.zitadel_events_seen (created_at);

create table private.zitadel_events_refused (
  id bigint primary key generated always as identity,
  event jsonb not null,
  reason text not null,
  refused_at timestamptz not null default now()
);
comment on table private.zitadel_events_refused is
  'Events that could not be taken in, for an operator to look at; rows here are an alarm.';

create table private.zitadel_cursor (
  only_row boolean primary key default true check (only_row),
  position timestamptz not null
);
comment on table private.zitadel_cursor is 'The newest created_at (microseconds) that was taken in.';

create table private.zitadel_session_agents (
  session_id text primary key,
  address text,
  user_agent text,
  added_at timestamptz not null
);
comment on table private.zitadel_session_agents is
  'From where a ZITADEL session was begun, for the sign-ins that come of it: session.added alone says it. Personal; gone with the session, and after a day.';
create index zitadel_session_agents_added_at_idx on private.zitadel_session_agents (added_at);

create function private.keep_session_agent(p_event jsonb, p_agent jsonb) returns void
language sql volatile set search_path = ''
as $$
  insert into private.zitadel_session_agents (session_id, address, user_agent, added_at)
  select p_event ->> 'aggregateId', left(p_agent ->> 'ip', 100),
         left(p_agent ->> 'description', 300), (p_event ->> 'createdAt')::timestamptz
   where p_agent ?| array['ip', 'description']
  on conflict (session_id) do nothing
$$;
comment on function private.keep_session_agent(jsonb, jsonb) is
  'session.added: the address and the user agent that ZITADEL was told of. Called by apply_zitadel_event only.';

create function private.session_agent(p_session text) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('address', a.address, 'user_agent', a.user_agent)
    from private.zitadel_session_agents a where a.session_id = p_session
$$;
comment on function private.session_agent(text) is
  '{address, user_agent} of who began the session, for the log; null when it is not known any more.';

create function private.zitadel_cursor() returns text
language sql stable security definer set search_path = ''
as $$
  select to_char(position at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    from private.zitadel_cursor
$$;
comment on function private.zitadel_cursor() is 'The cursor as RFC 3339 text with microseconds, which a JavaScript Date would lose; null before the first page. Definer: the cursor is private.';

create function private.ingest_zitadel_events(p_events jsonb) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_event jsonb;
  v_new integer := 0;
begin
  perform pg_advisory_xact_lock(779, 1); -- one page at a time, whoever polls
  for v_event in
    select e from jsonb_array_elements(p_events) with ordinality as x (e, n)
     order by (e ->> 'createdAt')::timestamptz, n
  loop
    insert into private.zitadel_events_seen (aggregate_type, aggregate_id, sequence, created_at)
    values (v_event ->> 'aggregateType', v_event ->> 'aggregateId',
      (v_event ->> 'sequence')::bigint, (v_event ->> 'createdAt')::timestamptz)
    on conflict do nothing;
    if found then
      v_new := v_new + 1;
      begin
        perform private.apply_zitadel_event(v_event);
      exception
        -- One event that does not fit must not hold up all that follow; what the database itself lacks is tried again.
        when data_exception or integrity_constraint_violation then
          insert into private.zitadel_events_refused (event, reason) values (v_event, sqlerrm);
      end;
    end if;
  end loop;
  insert into private.zitadel_cursor as c (position)
  select max((e ->> 'createdAt')::timestamptz)
    from jsonb_array_elements(p_events) e having count(*) > 0
  on conflict (only_row) do update set position = greatest(c.position, excluded.position);
  return v_new;
end;
$$;
comment on function private.ingest_zitadel_events(jsonb) is
  'Takes in one page of [{aggregateType, aggregateId, sequence, type, createdAt, resourceOwner, editorUserId, payload}], payloads allow-listed by the reader; returns how many were new. '
  'Definer: writes users, sessions and the log for ZITADEL.';

create function private.apply_zitadel_event(p_event jsonb) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_type text := p_event ->> 'type';
  v_payload jsonb := coalesce(p_event -> 'payload', '{}');
  v_session record;
begin
  if v_type = 'session.added' then
    perform private.keep_session_agent(p_event, v_payload -> 'user_agent');
  elsif v_type = 'session.user.checked' then
    insert into private.zitadel_sessions (session_id, subject, organization_id, checked_at)
    values (p_event ->> 'aggregateId', v_payload ->> 'userID',
      coalesce(v_payload ->> 'userResourceOwner', ''), (p_event ->> 'createdAt')::timestamptz)
    on conflict (session_id) do nothing;
  elsif v_type = 'oidc_session.added' then
    perform private.apply_sign_in(p_event, v_payload);
  elsif v_type = 'session.terminated' then
    for v_session in
      update public.sign_in_sessions s set ended_at = (p_event ->> 'createdAt')::timestamptz
       where s.id = p_event ->> 'aggregateId' and s.ended_at is null
      returning s.tenant_id, s.user_id, s.id, s.client_id
    loop
      perform private.record_event(v_session.tenant_id, 'user.signed_out',
        jsonb_build_array(jsonb_build_object('kind', 'user', 'id', v_session.user_id)),
        jsonb_build_object('session_id', v_session.id, 'client_id', v_session.client_id),
        jsonb_build_object('kind', 'user', 'id', v_session.user_id),
        (p_event ->> 'createdAt')::timestamptz, '{}');
    end loop;
    delete from private.zitadel_sessions where session_id = p_event ->> 'aggregateId';
    delete from private.zitadel_session_agents where session_id = p_event ->> 'aggregateId';
  elsif v_type like 'user.%.check.failed'
    and v_type !~ '\.(invite|initialization\.code)\.check' -- nobody signs in by those
  then
    perform private.apply_failed_sign_in(p_event);
  elsif v_type like 'user.%' then
    perform private.mirror_user(p_event, v_type, v_payload);
    perform private.record_user_event(p_event, v_type, v_payload);
  end if;
end;
$$;
comment on function private.apply_zitadel_event(jsonb) is 'One event that was not seen before; types that tell us nothing are passed over. Definer: see ingest_zitadel_events.';

create function private.tenant_of_organization(p_organization text) returns uuid
language sql stable security definer set search_path = ''
as $$
  select coalesce(
    (select id from public.tenants where organization_id = p_organization),
    private.platform_tenant())
$$;
comment on function private.tenant_of_organization(text) is 'The tenant whose organization this is; the platform tenant for any other. Definer: runs for jobs.';

create function private.zitadel_issuer() returns text
language sql stable security definer set search_path = ''
as $$ select issuer from private.issuers where kind = 'zitadel' order by issuer limit 1 $$;
comment on function private.zitadel_issuer() is 'The issuer whose events are polled. Definer: issuers are private.';

create function private.ensure_user(p_issuer text, p_subject text, p_home uuid) returns uuid
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_id uuid;
begin
  insert into public.users (issuer, subject, home_tenant_id)
  values (p_issuer, p_subject, nullif(p_home, private.platform_tenant()))
  on conflict (issuer, subject) do nothing
  returning id into v_id;
  return coalesce(v_id,
    (select id from public.users where issuer = p_issuer and subject = p_subject));
end;
$$;
comment on function private.ensure_user(text, text, uuid) is 'The user of an issuer and subject, made when missing; returns users.id. Definer: callers never write users.';

create function private.apply_sign_in(p_event jsonb, p_payload jsonb) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_at timestamptz := (p_event ->> 'createdAt')::timestamptz;
  v_tenant uuid := private.tenant_of_organization(
    coalesce(p_payload ->> 'userResourceOwner', p_event ->> 'resourceOwner'));
  v_user uuid := private.ensure_user(private.zitadel_issuer(), p_payload ->> 'userID', v_tenant);
  v_methods text[] := array(
    select jsonb_array_elements_text(coalesce(p_payload -> 'authMethods', '[]')));
begin
  insert into public.sign_in_sessions
    (tenant_id, id, client_id, user_id, auth_methods, signed_in_at)
  values (v_tenant, p_payload ->> 'sessionID', p_payload ->> 'clientID', v_user, v_methods, v_at)
  on conflict do nothing;
  update public.users set last_seen_at = greatest(last_seen_at, v_at) where id = v_user;
  perform private.record_event(v_tenant, 'user.signed_in',
    jsonb_build_array(jsonb_build_object('kind', 'user', 'id', v_user)),
    jsonb_build_object('session_id', p_payload ->> 'sessionID',
      'client_id', p_payload ->> 'clientID', 'auth_methods', to_jsonb(v_methods)),
    jsonb_build_object('kind', 'user', 'id', v_user), v_at,
    jsonb_strip_nulls(jsonb_build_object('auth_method', v_methods[1],
      'client_id', p_payload ->> 'clientID')
      || coalesce(private.session_agent(p_payload ->> 'sessionID'), '{}')));
end;
$$;
comment on function private.apply_sign_in(jsonb, jsonb) is 'oidc_session.added: a person signed in to an application. Definer: see ingest_zitadel_events.';

create function private.apply_failed_sign_in(p_event jsonb) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_tenant uuid := private.tenant_of_organization(p_event ->> 'resourceOwner');
begin
  perform private.ensure_user(private.zitadel_issuer(), p_event ->> 'aggregateId', v_tenant);
  perform private.count_refused_sign_in(v_tenant, p_event ->> 'aggregateId', null,
    case when p_event ->> 'type' like 'user.human.password.%' then 'password'
      when p_event ->> 'type' like 'user.human.passwordless.%' then 'passkey'
      else 'second_factor' end,
    (p_event ->> 'createdAt')::timestamptz, '{}');
end;
$$;
comment on function private.apply_failed_sign_in(jsonb) is 'user.human.password.check.failed and those of other factors: strangers cause them, so they are counted. Definer: see ingest_zitadel_events.';

create function private.mirror_user(p_event jsonb, p_type text, p_payload jsonb) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_sequence bigint := (p_event ->> 'sequence')::bigint;
  v_home uuid := private.tenant_of_organization(p_event ->> 'resourceOwner');
  v_user uuid;
begin
  if p_type not like 'user.human.%' and not exists (
    select from public.users u
     where u.issuer = private.zitadel_issuer() and u.subject = p_event ->> 'aggregateId')
  then
    return; -- a machine's, as service accounts are ours to make
  end if;
  v_user := private.ensure_user(private.zitadel_issuer(), p_event ->> 'aggregateId', v_home);
  update public.users u
     set zitadel_sequence = v_sequence,
         home_tenant_id = coalesce(u.home_tenant_id, nullif(v_home, private.platform_tenant())),
         login_name = coalesce(p_payload ->> 'userName', u.login_name),
         given_name = coalesce(p_payload ->> 'firstName', u.given_name),
         family_name = coalesce(p_payload ->> 'lastName', u.family_name),
         display_name = coalesce(p_payload ->> 'displayName', u.display_name),
         preferred_language = coalesce(p_payload ->> 'preferredLanguage', u.preferred_language),
         email = coalesce(p_payload ->> 'email', u.email),
         email_verified = case p_type when 'user.human.email.verified' then true
           when 'user.human.email.changed' then false else u.email_verified end,
         state = case p_type when 'user.deactivated' then 'disabled'
           when 'user.reactivated' then 'active' when 'user.removed' then 'removed'
           when 'user.locked' then case u.state when 'active' then 'locked' else u.state end
           when 'user.unlocked' then case u.state when 'locked' then 'active' else u.state end
           else u.state end
   where u.id = v_user and u.zitadel_sequence < v_sequence and u.erased_at is null;
end;
$$;
comment on function private.mirror_user(jsonb, text, jsonb) is
  'user.*: the mirror follows; an event older than the newest mirrored one changes nothing. The change is recorded by _500_record. Definer: see ingest_zitadel_events.';

create function private.zitadel_actor(p_editor text) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(
    (select jsonb_build_object('kind', 'user', 'id', u.id) from public.users u
      where u.issuer = private.zitadel_issuer() and u.subject = p_editor),
    (select jsonb_build_object('kind', 'service', 'id', s.id) from public.service_accounts s
      where s.issuer = private.zitadel_issuer() and s.subject = p_editor),
    '{"kind": "system", "id": "zitadel"}')
$$;
comment on function private.zitadel_actor(text) is 'Who did it in ZITADEL, as the log says it. Definer: runs for jobs.';

create function private.record_user_event(p_event jsonb, p_type text, p_payload jsonb) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_user uuid := (
    select u.id from public.users u
     where u.issuer = private.zitadel_issuer() and u.subject = p_event ->> 'aggregateId');
  -- A code over SMS or e-mail can be used once it is set; the others once they were shown to work.
  v_factor text := case
    when p_type ~ '^user\.human\.mfa\.otp\.(verified|removed)$' then 'totp'
    when p_type ~ '^user\.human\.mfa\.otp\.sms\.(added|removed)$' then 'otp_sms'
    when p_type ~ '^user\.human\.mfa\.otp\.email\.(added|removed)$' then 'otp_email'
    when p_type ~ '^user\.human\.mfa\.u2f\.token\.(verified|removed)$' then 'u2f'
    when p_type ~ '^user\.human\.passwordless\.token\.(verified|removed)$' then 'passkey'
    when p_type ~ '^user\.human\.mfa\.recoverycode\.(added|removed)$' then 'recovery_codes' end;
  v_verb text := case
    when v_factor is not null then
      case when p_type like '%.removed' then 'factor_removed' else 'factor_added' end
    else case p_type when 'user.deactivated' then 'deactivated'
      when 'user.reactivated' then 'reactivated' when 'user.locked' then 'locked'
      when 'user.unlocked' then 'unlocked' when 'user.removed' then 'removed'
      when 'user.human.email.verified' then 'email_verified'
      when 'user.human.password.changed' then 'password_changed' end end;
begin
  if v_user is null or v_verb is null then
    return;
  end if;
  perform private.record_event(
    private.tenant_of_organization(p_event ->> 'resourceOwner'), 'user.' || v_verb,
    jsonb_build_array(jsonb_build_object('kind', 'user', 'id', v_user)),
    case when v_factor is not null then jsonb_build_object('factor', v_factor)
      when v_verb = 'password_changed' then jsonb_build_object('change_required',
        coalesce((p_payload ->> 'changeRequired')::boolean, false))
      else '{}' end,
    private.zitadel_actor(p_event ->> 'editorUserId'),
    (p_event ->> 'createdAt')::timestamptz, '{}');
end;
$$;
comment on function private.record_user_event(jsonb, text, jsonb) is 'What happened to a person and is more than a change of their row: user.deactivated, password_changed, factor_added and the like. Definer: see ingest_zitadel_events.';

create function private.put_hint() returns void
language sql volatile security definer set search_path = ''
as $$ select private.enqueue('zitadel__poll_events', '{}', 'zitadel__poll_events') $$;
comment on function private.put_hint() is 'ZITADEL says: look now. Definer: the queue is its owner''s.';
