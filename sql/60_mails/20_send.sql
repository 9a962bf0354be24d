-- How a mail gets out: claimed, tried, settled. functions/_worker/tasks/mail__send.ts calls these two; in between no transaction is open.

create function private.mail_look(p_tenant uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object(
      'tenantName', t.name,
      'tokens', w.look #> '{document,look,tokens}',
      'logo', (
        select jsonb_build_object('mediaType', l.type,
            'data', translate(encode(l.bytes, 'base64'), E'\n', ''))
          from public.widget_logos l
         where l.tenant_id = p_tenant and l.type = 'image/png'
           and 'logo/' || l.hash = w.look #>> '{document,look,logoUrl}')))
    from public.tenants t, private.widget_look(p_tenant, null) w (look)
   where t.id = p_tenant
$$;
comment on function private.mail_look(uuid) is
  '{tenantName, tokens, logo {mediaType, data (base64)}}: how a tenant''s mails look, by what it published for all its applications. The logo only as PNG: mail programs show no other kind everywhere. '
  'Called by claim_mail only.';

create function private.claim_mail(p_tenant uuid, p_id uuid, p_lease_seconds integer) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_mail private.mails;
begin
  select * into v_mail from private.mails m
   where m.tenant_id = p_tenant and m.id = p_id and m.state = 'pending' for update;
  if not found then
    return null;
  elsif v_mail.expires_at <= clock_timestamp() then
    perform private.end_mail(p_tenant, p_id, 'expired', v_mail.last_error);
    return null;
  elsif v_mail.next_attempt_at > clock_timestamp() then
    return jsonb_build_object('waitSeconds',
      ceil(extract(epoch from v_mail.next_attempt_at - clock_timestamp())));
  end if;
  update private.mails m
     set attempts = m.attempts + 1,
         next_attempt_at = clock_timestamp() + make_interval(secs => p_lease_seconds)
   where m.tenant_id = p_tenant and m.id = p_id;
  return jsonb_build_object('key', v_mail.key, 'kind', v_mail.kind, 'language', v_mail.language,
    'attempt', v_mail.attempts + 1, 'createdAt', v_mail.created_at,
    'expiresAt', v_mail.expires_at, 'keyId', v_mail.key_id,
    'ciphertext', translate(encode(v_mail.ciphertext, 'base64'), E'\n', ''),
    'look', private.mail_look(p_tenant));
end;
$$;
comment on function private.claim_mail(uuid, uuid, integer) is
  '{key, kind, language, attempt, createdAt, expiresAt, keyId, ciphertext (base64), look} of a mail that is due, now held for the lease; {waitSeconds} when it is not due yet or held; '
  'null when it is settled, gone or has run out, which settles it. Definer: the table is private.';

create function private.end_mail(p_tenant uuid, p_id uuid, p_state text, p_error jsonb) returns void
language sql volatile set search_path = ''
as $$
  update private.mails
     set state = p_state, last_error = p_error, settled_at = clock_timestamp(),
         next_attempt_at = null, key_id = null, ciphertext = null
   where tenant_id = p_tenant and id = p_id and state = 'pending'
$$;
comment on function private.end_mail(uuid, uuid, text, jsonb) is
  'Settles a mail; address and content go. Called by definers only.';

create function private.settle_mail(
  p_tenant uuid, p_id uuid, p_attempt integer, p_state text, p_error jsonb default null,
  p_retry_seconds integer default null
) returns text
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_next timestamptz := clock_timestamp() + make_interval(secs => p_retry_seconds);
  v_expires timestamptz;
begin
  select expires_at into v_expires from private.mails m
   where m.tenant_id = p_tenant and m.id = p_id and m.state = 'pending' and m.attempts = p_attempt
     for update;
  if not found then
    return null;
  elsif p_state <> 'pending' then
    perform private.end_mail(p_tenant, p_id, p_state, p_error);
    return p_state;
  elsif v_next >= v_expires then
    perform private.end_mail(p_tenant, p_id, 'expired', p_error);
    return 'expired';
  end if;
  update private.mails m set last_error = p_error, next_attempt_at = v_next
   where m.tenant_id = p_tenant and m.id = p_id;
  perform private.enqueue_mail(p_tenant, p_id, v_next);
  return 'pending';
end;
$$;
comment on function private.settle_mail(uuid, uuid, integer, text, jsonb, integer) is
  'How an attempt went: sent, refused, or pending with the seconds until the next one, which ends the mail when its code runs out first. Returns its state; null when the attempt is not the latest any more. Definer: the table is private.';

create function private.retain_mails(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_kept interval := private.days_setting('mails.retention_days', 30);
  v_gone integer;
begin
  perform private.end_mail(m.tenant_id, m.id, 'expired', m.last_error)
    from private.mails m where m.state = 'pending' and m.expires_at <= clock_timestamp();
  delete from private.mails m
   where m.ctid = any (array(
     select o.ctid from private.mails o where o.settled_at < now() - v_kept limit p_limit));
  get diagnostics v_gone = row_count;
  return v_gone;
end;
$$;
comment on function private.retain_mails(integer) is
  'Ends what has run out, deletes what was settled longer ago than the setting mails.retention_days (30), at most so many; returns how many. Definer: the table is private.';
