-- rights, roles, role_rights: what can be allowed, and under which name it is handed out. Reference data of the product (95_seeds/10_reference.sql); callers read.
create table public.rights (
  key text primary key check (key ~ '^[a-z_]+\.(read|write)$'),
  description text not null
);
comment on table public.rights is 'What can be allowed: <domain>.read or <domain>.write.';

create table public.roles (
  key text primary key check (key ~ '^[a-z][a-z0-9_]*$'),
  scope text not null check (scope in ('platform', 'tenant')),
  description text not null
);
comment on table public.roles is 'A named set of rights. Platform roles are assigned in the platform tenant only, tenant roles in customers'' only.';

create table public.role_rights (
  role_key text not null references public.roles on delete cascade,
  right_key text not null references public.rights on delete cascade,
  primary key (role_key, right_key)
);
comment on table public.role_rights is 'Which role holds which right.';
create index role_rights_right_key_idx on public.role_rights (right_key);

create trigger _500_record after insert or update or delete on public.rights
  for each row execute function private.tg_record_change('right');
alter table public.rights enable always trigger _500_record;
create trigger _500_record after insert or update or delete on public.roles
  for each row execute function private.tg_record_change('role');
alter table public.roles enable always trigger _500_record;

create function private.tg_role_rights__record() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_row public.role_rights := coalesce(new, old);
begin
  perform private.record_event(
    private.platform_tenant(),
    'role_right.' || case tg_op when 'INSERT' then 'created' else 'deleted' end,
    jsonb_build_array(jsonb_build_object('kind', 'role', 'id', v_row.role_key),
      jsonb_build_object('kind', 'right', 'id', v_row.right_key)),
    '{}'
  );
  return null;
end;
$$;
comment on function private.tg_role_rights__record() is 'role_right.created, role_right.deleted: the row is its key, so there is no update. Definer: callers cannot write events.';
create trigger _500_record after insert or delete on public.role_rights
  for each row execute function private.tg_role_rights__record();
alter table public.role_rights enable always trigger _500_record;
