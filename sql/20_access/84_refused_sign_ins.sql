-- What strangers cause is counted, so that guessing does not amplify into the log: one event per tenant, account and minute, written when the minute is over.
-- Fed by ZITADEL's events (85_zitadel_events.sql) and by functions/widget, which alone meets accounts that nobody has.
create table private.account_salt (
  only_row boolean primary key default true check (only_row),
  salt bytea not null default sha256(
    uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
);
comment on table private.account_salt is 'Keeps a login name from being guessed out of its hash in the log.';
insert into private.account_salt default values;

create table private.refused_sign_ins (
  tenant_id uuid not null,
  minute_at timestamptz not null,
  account text not null,
  user_id uuid,
  count integer not null,
  reasons jsonb not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  context jsonb not null,
  primary key (tenant_id, minute_at, account)
);
comment on table private.refused_sign_ins is 'Refused sign-ins of the minutes that are not on record yet.';
comment on column private.refused_sign_ins.account is 'Salted hash of the account; empty: the sum beyond a hundred accounts in the minute.';
comment on column private.refused_sign_ins.context is 'Of the first of them that says anything.';

create table private.refused_sign_in_origins (
  tenant_id uuid not null,
  account text not null,
  seen_at timestamptz not null,
  context jsonb not null,
  primary key (tenant_id, account)
);
comment on table private.refused_sign_in_origins is
  'Where a refusal came from that ZITADEL itself has an event for, which names no address: functions/widget knows it. Kept ten minutes, for the event to find it.';

create function private.refused_sign_ins_horizon() returns timestamptz
language sql volatile set search_path = ''
as $$ select date_trunc('minute', clock_timestamp() - interval '30 seconds') $$;
comment on function private.refused_sign_ins_horizon() is 'The oldest minute that is still counted; those before are on record.';

create function private.account_hash(p_tenant uuid, p_subject text, p_login_name text)
returns text
language sql stable set search_path = ''
as $$
  select encode(sha256(s.salt || convert_to(
      p_tenant || coalesce('/subject/' || p_subject, '/login/' || lower(trim(p_login_name))),
      'UTF8')), 'hex')
    from private.account_salt s
$$;
comment on function private.account_hash(uuid, text, text) is
  'The account of a refusal: by its subject, else by the name that was typed.';

create function private.keep_refusal_origin(
  p_tenant uuid, p_account text, p_at timestamptz, p_context jsonb
) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  -- ZITADEL's event is here already, or comes with one of the next pages.
  update private.refused_sign_ins r
     set context = p_context
   where r.tenant_id = p_tenant and r.account = p_account and r.context = '{}';
  insert into private.refused_sign_in_origins as o (tenant_id, account, seen_at, context)
  values (p_tenant, p_account, p_at, p_context)
  on conflict (tenant_id, account) do update
    set seen_at = excluded.seen_at, context = excluded.context
  where o.seen_at < excluded.seen_at - interval '1 minute'; -- the first of a minute is kept
end;
$$;
comment on function private.keep_refusal_origin(uuid, text, timestamptz, jsonb) is
  'Keeps where a refusal came from for the event that counts it. Called by count_refused_sign_in only.';

create function private.refusal_origin(p_tenant uuid, p_account text, p_at timestamptz)
returns jsonb
language sql stable set search_path = ''
as $$
  select o.context from private.refused_sign_in_origins o
   where o.tenant_id = p_tenant and o.account = p_account
     and o.seen_at between p_at - interval '1 minute' and p_at + interval '1 minute'
$$;
comment on function private.refusal_origin(uuid, text, timestamptz) is
  'Where a refusal of that minute came from, as functions/widget told; null when it did not.';

create function private.count_refused_sign_in(
  p_tenant uuid, p_subject text, p_login_name text, p_reason text,
  p_at timestamptz, p_context jsonb
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_minute timestamptz;
  v_account text := private.account_hash(p_tenant, p_subject, p_login_name);
  v_context jsonb := coalesce(p_context, '{}');
begin
  -- Held together with others who count, never while minutes are put on record: so a minute is one event.
  perform pg_advisory_xact_lock_shared(779, 4);
  if p_reason is null then
    perform private.keep_refusal_origin(p_tenant, v_account, p_at, v_context);
    return;
  end if;
  v_minute := least(date_trunc('minute', clock_timestamp()),
    greatest(date_trunc('minute', p_at), private.refused_sign_ins_horizon()));
  if v_context = '{}' then
    v_context := coalesce(private.refusal_origin(p_tenant, v_account, p_at), '{}');
  end if;
  -- Names can be made up without end: beyond a hundred in a minute they are one sum.
  if not exists (
      select from private.refused_sign_ins r
       where r.tenant_id = p_tenant and r.minute_at = v_minute and r.account = v_account)
    and 100 <= (
      select count(*) from private.refused_sign_ins r
       where r.tenant_id = p_tenant and r.minute_at = v_minute)
  then
    v_account := '';
  end if;
  insert into private.refused_sign_ins as r (tenant_id, minute_at, account, user_id, count,
    reasons, first_at, last_at, context)
  values (p_tenant, v_minute, v_account,
    case when v_account <> '' then (
      select u.id from public.users u
       where u.issuer = private.zitadel_issuer() and u.subject = p_subject) end,
    1, jsonb_build_object(p_reason, 1), p_at, p_at, v_context)
  on conflict (tenant_id, minute_at, account) do update
    set count = r.count + 1,
        reasons = r.reasons || jsonb_build_object(p_reason,
          coalesce((r.reasons ->> p_reason)::integer, 0) + 1),
        first_at = least(r.first_at, excluded.first_at),
        last_at = greatest(r.last_at, excluded.last_at),
        context = case r.context when '{}' then excluded.context else r.context end;
end;
$$;
comment on function private.count_refused_sign_in(uuid, text, text, text, timestamptz, jsonb) is
  'Counts one refused sign-in: the account by its subject, else by the name that was typed, which is kept as a salted hash only. What comes later than its minute counts in the oldest open one. '
  'A reason of null counts nothing: ZITADEL tells of the refusal itself, only where it came from is kept for that. '
  'Definer: nobody has signed in, and the table is private.';

create function private.record_refused_sign_ins() returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_row private.refused_sign_ins;
  v_count integer := 0;
begin
  perform pg_advisory_xact_lock(779, 4);
  for v_row in
    delete from private.refused_sign_ins
     where minute_at < private.refused_sign_ins_horizon()
    returning *
  loop
    perform private.record_event(v_row.tenant_id, 'user.sign_in_failed',
      jsonb_build_array(case when v_row.user_id is not null
          then jsonb_build_object('kind', 'user', 'id', v_row.user_id)
        when v_row.account <> '' then jsonb_build_object('kind', 'account', 'id', v_row.account)
        else jsonb_build_object('kind', 'tenant', 'id', v_row.tenant_id) end),
      jsonb_build_object('account', nullif(v_row.account, ''), 'count', v_row.count,
        'reasons', v_row.reasons, 'first_at', v_row.first_at, 'last_at', v_row.last_at),
      '{"kind": "anonymous", "id": null}', v_row.last_at,
      v_row.context - array['address', 'user_agent'],
      -- Nobody is known to have acted: the address is a value of the person whose account it was tried on, and goes with theirs.
      (select jsonb_object_agg('context.' || c.key, c.value) from jsonb_each(v_row.context) c
        where c.key in ('address', 'user_agent')),
      v_row.user_id);
    v_count := v_count + 1;
  end loop;
  delete from private.refused_sign_in_origins where seen_at < now() - interval '10 minutes';
  delete from private.zitadel_session_agents where added_at < now() - interval '1 day';
  return v_count;
end;
$$;
comment on function private.record_refused_sign_ins() is 'Writes user.sign_in_failed for the minutes that are over, half a minute after their end; returns how many. Forgets addresses that wait for an event no longer. Definer: callers cannot write events.';
