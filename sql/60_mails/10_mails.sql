-- mails: what is to be said to a person by e-mail, from the moment it is decided until long after it was sent. Address and content lie sealed, for they
-- hold codes, and go when the mail is settled: what stays tells that there was a mail, and how it went.
-- Next: functions/_shared/mailer.ts (who queues), 20_send.sql and functions/_worker/tasks/mail__send.ts (who sends).
create table private.mails (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  key text not null check (key ~ '^[A-Za-z0-9._:-]{1,200}$'),
  user_subject text not null check (length(user_subject) between 1 and 200),
  kind text not null check (kind in
    ('verification', 'password_reset', 'invitation', 'sign_in_code', 'already_registered',
      'address_changed')),
  language text check (length(language) between 2 and 35), -- RFC 5646, section 4.4.1
  state text not null default 'pending'
    check (state in ('pending', 'sent', 'refused', 'expired')),
  attempts integer not null default 0,
  next_attempt_at timestamptz default now(),
  expires_at timestamptz not null,
  last_error jsonb,
  key_id text,
  ciphertext bytea check (length(ciphertext) <= 16384),
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  primary key (tenant_id, id),
  unique (tenant_id, key),
  check (num_nonnulls(key_id, ciphertext, next_attempt_at)
    = case state when 'pending' then 3 else 0 end),
  check ((settled_at is null) = (state = 'pending'))
);
comment on table private.mails is 'Mails to people: waiting, and how the last ones went.';
comment on column private.mails.id is 'Also the Message-ID, so that a mail which is sent twice is known as one.';
comment on column private.mails.key is 'Of two mails with the same key only the first is sent.';
comment on column private.mails.user_subject is 'ZITADEL''s id of the person: the address is sealed.';
comment on column private.mails.state is 'pending, then sent (a server took it), refused (a server will never take it) or expired (its code ran out first).';
comment on column private.mails.next_attempt_at is 'When it is due; while it is being sent, when it is due again if the worker dies.';
comment on column private.mails.last_error is '{slug, reply, enhanced}: why the last attempt failed; never the server''s own words, which quote the address.';
comment on column private.mails.ciphertext is 'Address and content by functions/_shared/mailer.ts, under the mail key. Additional data: mails|<tenant_id>|<key>.';
create index mails_user_subject_idx on private.mails (user_subject);
create index mails_settled_at_idx on private.mails (settled_at);

create function private.queue_mail(
  p_tenant uuid, p_key text, p_subject text, p_kind text, p_language text,
  p_expires_at timestamptz, p_key_id text, p_ciphertext bytea
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_id uuid;
begin
  insert into private.mails
    (tenant_id, key, user_subject, kind, language, expires_at, key_id, ciphertext)
  values (p_tenant, p_key, p_subject, p_kind, p_language, p_expires_at, p_key_id, p_ciphertext)
  on conflict (tenant_id, key) do nothing
  returning id into v_id;
  if v_id is not null then
    perform private.enqueue_mail(p_tenant, v_id, null);
  end if;
end;
$$;
comment on function private.queue_mail(uuid, text, text, text, text, timestamptz, text, bytea) is
  'Queues a sealed mail to a person (ZITADEL''s id) in the caller''s transaction; nothing where its key was used before. Definer: the table is private and the queue its owner''s.';

create function private.enqueue_mail(p_tenant uuid, p_id uuid, p_at timestamptz) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform private.enqueue('mail__send', jsonb_build_object('tenantId', p_tenant, 'id', p_id),
    'mail__send:' || p_id, p_at);
end;
$$;
comment on function private.enqueue_mail(uuid, uuid, timestamptz) is
  'The job of a mail, one at a time. Called by definers only.';

create function private.forget_mails_of(p_subject text) returns void
language sql volatile set search_path = ''
as $$ delete from private.mails where user_subject = p_subject $$;
comment on function private.forget_mails_of(text) is
  'Removes every mail to a person, those that wait too. Called by erase_user only.';
