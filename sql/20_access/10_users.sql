-- users: a person as an issuer knows them, mirrored from ZITADEL's events (85_zitadel_events.sql) and by rpc/start_session. Global by (issuer, subject):
-- no tenant_id in the key, since platform staff has no tenant; home_tenant_id is the tenant whose organization the person belongs to.
-- A user is an end user until an assignment makes them a member.
create table public.users (
  id uuid primary key default private.uuid_v7(),
  issuer text not null,
  subject text not null check (length(subject) between 1 and 200),
  home_tenant_id uuid references public.tenants on delete set null,
  login_name text,
  display_name text,
  given_name text,
  family_name text,
  email text,
  email_verified boolean not null default false,
  preferred_language text,
  state text not null default 'active' check (state in ('active', 'locked', 'disabled', 'removed')),
  tokens_valid_after timestamptz not null default '-infinity',
  zitadel_sequence bigint not null default 0,
  last_seen_at timestamptz,
  erased_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_subject_taken unique (issuer, subject)
);
comment on table public.users is 'A person as an issuer knows them.';
comment on column public.users.subject is 'The sub claim; text, since ZITADEL''s ids are too long for a JSON number.';
comment on column public.users.state is 'Confirmed by ZITADEL; anything but active refuses the next request.';
comment on column public.users.tokens_valid_after is 'Tokens issued before are refused on the next request: "sign out everywhere".';
comment on column public.users.zitadel_sequence is 'The newest event of this user that is mirrored here; older ones that come late change nothing.';
comment on column public.users.erased_at is 'Erased by erase_person: nothing is mirrored here any more.';
create index users_home_tenant_id_idx on public.users (home_tenant_id, id);
-- Who signs in at the portal by an address: private.find_login_organization.
create index users_email_idx on public.users (lower(email));
create index users_login_name_idx on public.users (lower(login_name));

create trigger _100_touch before update on public.users
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.users
  for each row execute function private.tg_record_change(
    'user', 'zitadel_sequence,last_seen_at',
    'login_name,display_name,given_name,family_name,email'
  );
alter table public.users enable always trigger _500_record;
