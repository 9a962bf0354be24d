-- Another signing secret for a sink of kind http. What lies sealed is one text, so the audit function opens it, writes it anew and puts it back, all in one transaction.
-- Next: functions/audit/app.ts (who asks), functions/_shared/sinks/http.ts (what is in the text, and who signs with it).
create function private.open_sink_secret(p_tenant uuid, p_sink uuid) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_secret private.audit_sink_secrets;
begin
  perform private.require_right(p_tenant, 'audit.write');
  perform from public.audit_sinks s where s.tenant_id = p_tenant and s.id = p_sink;
  if not found then
    perform private.refuse(404, 'sink_not_found', format(
      'There is no sink %s in tenant %s', p_sink, p_tenant));
  end if;
  -- Two who rotate at once: the second one opens what the first one put.
  select * into v_secret from private.audit_sink_secrets k
   where k.tenant_id = p_tenant and k.sink_id = p_sink for update;
  if not found then
    perform private.refuse(409, 'sink_has_no_secret', format(
      'Sink %s signs nothing: only a sink of kind http has a secret', p_sink));
  end if;
  return jsonb_build_object('keyId', v_secret.key_id,
    'ciphertext', translate(encode(v_secret.ciphertext, 'base64'), E'\n', ''));
end;
$$;
comment on function private.open_sink_secret(uuid, uuid) is
  'What the audit function needs to rotate a sink''s secret: {keyId, ciphertext} as it is sealed, locked until the transaction ends. Raises not_allowed, sink_not_found, sink_has_no_secret. '
  'Definer: secrets are private; checks audit.write itself.';

create function private.rotate_sink_secret(
  p_tenant uuid, p_sink uuid, p_key_id text, p_ciphertext bytea, p_overlap_seconds integer
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.open_sink_secret(p_tenant, p_sink); -- who may, and the lock
  update private.audit_sink_secrets k set key_id = p_key_id, ciphertext = p_ciphertext
   where k.tenant_id = p_tenant and k.sink_id = p_sink;
  perform private.record_event(p_tenant, 'audit_sink.secret_rotated',
    jsonb_build_array(jsonb_build_object('kind', 'audit_sink', 'id', p_sink)),
    jsonb_build_object('overlap_seconds', p_overlap_seconds));
end;
$$;
comment on function private.rotate_sink_secret(uuid, uuid, text, bytea, integer) is
  'Puts a sink''s sealed text with the new secret, and the old ones for the overlap, in the place of the former one. Raises not_allowed, sink_not_found, sink_has_no_secret. '
  'Definer: secrets are private; checks audit.write itself.';
