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
comment on column private.refused_sign_ins.context is 'Of the first of them.';

create function private.refused_sign_ins_horizon() returns timestamptz
language sql volatile set search_path = ''
as $$ select date_trunc('minute', clock_timestamp() - interval '30 seconds') $$;
comment on function private.refused_sign_ins_horizon() is 'The oldest minute that is still counted; those before are on record.';

create function private.count_refused_sign_in(
  p_tenant uuid, p_subject text, p_login_name text, p_reason text,
  p_at timestamptz, p_context jsonb
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_minute timestamptz;
  v_account text;
begin
  -- Held together with others who count, never while minutes are put on record: so a minute is one event.
  perform pg_advisory_xact_lock_shared(779, 4);
  v_minute := least(date_trunc('minute', clock_timestamp()),
    greatest(date_trunc('minute', p_at), private.refused_sign_ins_horizon()));
  select encode(sha256(s.salt || convert_to(
      p_tenant || coalesce('/subject/' || p_subject, '/login/' || lower(trim(p_login_name))),
      'UTF8')), 'hex')
    into v_account from private.account_salt s;
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
    1, jsonb_build_object(p_reason, 1), p_at, p_at, coalesce(p_context, '{}'))
  on conflict (tenant_id, minute_at, account) do update
    set count = r.count + 1,
        reasons = r.reasons || jsonb_build_object(p_reason,
          coalesce((r.reasons ->> p_reason)::integer, 0) + 1),
        first_at = least(r.first_at, excluded.first_at),
        last_at = greatest(r.last_at, excluded.last_at);
end;
$$;
comment on function private.count_refused_sign_in(uuid, text, text, text, timestamptz, jsonb) is
  'Counts one refused sign-in: the account by its subject, else by the name that was typed, which is kept as a salted hash only. What comes later than its minute counts in the oldest open one. '
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
      '{"kind": "anonymous", "id": null}', v_row.last_at, v_row.context);
    v_count := v_count + 1;
  end loop;
  return v_count;
end;
$$;
comment on function private.record_refused_sign_ins() is 'Writes user.sign_in_failed for the minutes that are over, half a minute after their end; returns how many. Definer: callers cannot write events.';
