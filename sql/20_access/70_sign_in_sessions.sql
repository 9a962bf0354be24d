-- sign_in_sessions: one row a session and client, fed by ZITADEL's events; gives a sign-out its owner.
create table public.sign_in_sessions (
  tenant_id uuid not null references public.tenants on delete cascade,
  id text not null,
  client_id text not null,
  user_id uuid not null references public.users on delete cascade,
  auth_methods text[] not null default '{}',
  signed_in_at timestamptz not null,
  ended_at timestamptz,
  primary key (tenant_id, id, client_id)
);
comment on table public.sign_in_sessions is 'A person signed in to an application: ZITADEL''s session and the client.';
comment on column public.sign_in_sessions.id is 'ZITADEL''s session id.';
comment on column public.sign_in_sessions.ended_at is 'When the session was ended. An expiry leaves it null: ZITADEL emits nothing for it.';
create index sign_in_sessions_user_id_idx on public.sign_in_sessions (user_id, signed_in_at desc);

-- session.terminated names neither user nor organization: this table, fed by session.user.checked, does.
create table private.zitadel_sessions (
  session_id text primary key,
  subject text not null,
  organization_id text not null,
  checked_at timestamptz not null
);
comment on table private.zitadel_sessions is 'Which user of which organization a ZITADEL session belongs to.';
