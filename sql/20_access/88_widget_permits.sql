-- How often signing in may be tried: per account, per address and per tenant. Counted here and not in a process, of which there are many.
-- Next: functions/widget/permits.ts; functions/_worker/tasks/widget_permits__forget.ts, each night.
create table private.widget_limits (
  scope text not null check (scope in ('account', 'address', 'tenant')),
  kind text not null check (kind in ('guess', 'mail', 'look')),
  max_count integer not null check (max_count > 0),
  window_seconds integer not null check (window_seconds > 0),
  block_seconds integer not null check (block_seconds > 0),
  max_block_seconds integer not null check (max_block_seconds >= block_seconds),
  primary key (scope, kind)
);
comment on table private.widget_limits is
  'How many tries a window takes; one more blocks, each block twice as long as the one before, up to a cap.';
comment on column private.widget_limits.kind is
  'guess: a secret is tried. mail: a mail goes out. look: a question whose answer costs us work.';
insert into private.widget_limits values
  ('account', 'guess', 10, 300, 30, 900),
  ('account', 'look', 20, 300, 30, 900),
  ('account', 'mail', 5, 900, 60, 3600),
  ('address', 'guess', 200, 300, 30, 900), -- an office behind one address, on Monday morning; right ones do not count
  ('address', 'look', 1000, 300, 30, 900),
  ('address', 'mail', 50, 900, 60, 3600),
  ('tenant', 'guess', 3000, 60, 5, 60), -- against spraying from everywhere; short, since it stops everybody
  ('tenant', 'look', 6000, 60, 5, 60),
  ('tenant', 'mail', 600, 60, 5, 60);

create unlogged table private.widget_permits (
  key bytea primary key,
  started_at timestamptz not null,
  count integer not null,
  blocks integer not null,
  blocked_until timestamptz not null
);
comment on table private.widget_permits is
  'Tries by account, address and tenant. Unlogged: a crash forgets them, nothing worse.';
comment on column private.widget_permits.key is
  'Salted hash of scope, kind and whom it is about: neither names nor addresses are kept.';
comment on column private.widget_permits.blocks is 'How many in a row; over when a day has passed since the last.';
create index widget_permits_started_at_idx on private.widget_permits (started_at);

create function private.widget_permit_keys(
  p_tenant uuid, p_kind text, p_account text, p_address text
) returns table (scope text, key bytea)
language sql stable set search_path = ''
as $$
  select x.scope, sha256(s.salt || convert_to(
      'permit/' || p_kind || '/' || x.scope || '/' || x.whom, 'UTF8'))
    from private.account_salt s,
      (values ('account', p_tenant || '/' || p_account),
        -- A network hands a whole /64 to one host: its addresses are one.
        ('address', case when not pg_input_is_valid(p_address, 'inet') then null
          when family(p_address::inet) = 4 then host(p_address::inet)
          else network(set_masklen(p_address::inet, 64))::text end),
        ('tenant', p_tenant::text)) x (scope, whom)
   where x.whom is not null
$$;
comment on function private.widget_permit_keys(uuid, text, text, text) is
  'One row a scope that is known.';

create function private.take_widget_permit(
  p_tenant uuid, p_kind text, p_account text, p_address text
) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_wait integer := 0;
  v_limit private.widget_limits;
  v_permit private.widget_permits;
  v_row record;
begin
  -- Account, address, tenant: always in this order, so that no two wait for each other.
  for v_row in
    select k.scope, k.key from private.widget_permit_keys(p_tenant, p_kind, p_account, p_address) k
     order by k.scope
  loop
    select * into strict v_limit from private.widget_limits l
     where l.scope = v_row.scope and l.kind = p_kind;
    insert into private.widget_permits values (v_row.key, v_now, 0, 0, '-infinity')
      on conflict do nothing;
    select * into v_permit from private.widget_permits p where p.key = v_row.key for update;
    if v_permit.blocked_until > v_now then
      return ceil(extract(epoch from v_permit.blocked_until - v_now));
    end if;
    if v_permit.started_at + v_limit.window_seconds * interval '1 second' <= v_now then
      v_permit.started_at := v_now;
      v_permit.count := 0;
      if v_permit.blocked_until < v_now - interval '1 day' then
        v_permit.blocks := 0;
      end if;
    end if;
    v_permit.count := v_permit.count + 1;
    if v_permit.count > v_limit.max_count then
      v_wait := least(v_limit.block_seconds * 2 ^ least(v_permit.blocks, 20),
        v_limit.max_block_seconds);
      v_permit.blocks := v_permit.blocks + 1;
      v_permit.blocked_until := v_now + v_wait * interval '1 second';
      v_permit.started_at := v_permit.blocked_until;
      v_permit.count := 0;
    end if;
    update private.widget_permits p
       set started_at = v_permit.started_at, count = v_permit.count, blocks = v_permit.blocks,
           blocked_until = v_permit.blocked_until
     where p.key = v_row.key;
    if v_wait > 0 then
      return v_wait;
    end if;
  end loop;
  return 0;
end;
$$;
comment on function private.take_widget_permit(uuid, text, text, text) is
  'Counts one try. Returns how many seconds to wait, 0: none. Account and address may be null. Definer: nobody has signed in, and the table is private.';

create function private.give_back_widget_permit(
  p_tenant uuid, p_kind text, p_account text, p_address text
) returns void
language sql volatile security definer set search_path = ''
as $$
  update private.widget_permits p set count = greatest(p.count - 1, 0)
    from (
      select q.key from private.widget_permits q
        join private.widget_permit_keys(p_tenant, p_kind, p_account, p_address) k on k.key = q.key
       order by k.scope for update of q) x
   where p.key = x.key
$$;
comment on function private.give_back_widget_permit(uuid, text, text, text) is
  'Of a try that was right: it does not count. What is blocked stays so. Definer: nobody has signed in, and the table is private.';

create function private.forget_widget_permits(p_limit integer) returns integer
language sql volatile security definer set search_path = ''
as $$
  with gone as (
    delete from private.widget_permits p
     where p.key in (
       select q.key from private.widget_permits q
        where q.started_at < clock_timestamp() - interval '1 day'
          and q.blocked_until < clock_timestamp() - interval '1 day'
        order by q.started_at limit p_limit for update skip locked)
    returning 1)
  select count(*)::integer from gone
$$;
comment on function private.forget_widget_permits(integer) is
  'Forgets tries that were more than a day ago; returns how many. Definer: runs for jobs.';
