-- What POST /functions/v1/webhooks/endpoints calls as its caller: the row and its sealed secret come to be together.

create function private.new_id() returns uuid
language sql volatile set search_path = ''
as $$ select private.uuid_v7() $$;
comment on function private.new_id() is 'An id to seal a secret for, before its row is there.';

create function private.create_webhook_endpoint(
  p_tenant uuid, p_id uuid, p_url text, p_description text, p_event_types text[],
  p_since timestamptz, p_key_id text, p_ciphertext bytea
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
  v_unknown text;
begin
  perform private.require_right(p_tenant, 'webhooks.write');
  if p_since < now() - interval '30 days' then
    perform private.refuse(422, 'since_too_old', 'since reaches back 30 days at most');
  end if;
  select f into v_unknown from unnest(p_event_types) f
   where not exists (
     select from public.event_types t where private.event_type_matches(t.name, array[f]))
   limit 1;
  if found then
    perform private.refuse(422, 'event_type_unknown', format('There is no event type "%s"', v_unknown));
  end if;
  insert into public.webhook_endpoints (tenant_id, id, url, description, event_types, since_at)
  values (p_tenant, p_id, p_url, coalesce(p_description, ''), p_event_types,
    least(coalesce(p_since, now()), now()))
  returning * into v_endpoint;
  insert into private.webhook_secrets (tenant_id, endpoint_id, key_id, ciphertext)
  values (p_tenant, p_id, p_key_id, p_ciphertext);
  return jsonb_build_object('id', v_endpoint.id, 'url', v_endpoint.url,
    'description', v_endpoint.description, 'eventTypes', v_endpoint.event_types,
    'since', v_endpoint.since_at, 'enabled', v_endpoint.enabled,
    'createdAt', v_endpoint.created_at);
end;
$$;
comment on function private.create_webhook_endpoint(
  uuid, uuid, text, text, text[], timestamptz, text, bytea
) is
  'An endpoint and its sealed secret; returns {id, url, description, eventTypes, since, enabled, createdAt}. Raises not_allowed, since_too_old, event_type_unknown, event_types_malformed. Definer: secrets are private; checks webhooks.write itself.';

create function private.rotate_webhook_secret(
  p_tenant uuid, p_endpoint uuid, p_key_id text, p_ciphertext bytea, p_overlap_seconds integer
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(p_tenant, 'webhooks.write');
  perform from public.webhook_endpoints where tenant_id = p_tenant and id = p_endpoint for update;
  if not found then
    perform private.refuse(404, 'endpoint_not_found', format('There is no endpoint %s in tenant %s', p_endpoint, p_tenant));
  end if;
  delete from private.webhook_secrets
   where tenant_id = p_tenant and endpoint_id = p_endpoint and expires_at <= now();
  update private.webhook_secrets
     set expires_at = least(expires_at,
       now() + make_interval(secs => least(greatest(p_overlap_seconds, 0), 604800)))
   where tenant_id = p_tenant and endpoint_id = p_endpoint;
  insert into private.webhook_secrets (tenant_id, endpoint_id, key_id, ciphertext)
  values (p_tenant, p_endpoint, p_key_id, p_ciphertext);
  perform private.record_event(p_tenant, 'webhook_endpoint.secret_rotated',
    jsonb_build_array(jsonb_build_object('kind', 'webhook_endpoint', 'id', p_endpoint)),
    jsonb_build_object('overlap_seconds', p_overlap_seconds));
end;
$$;
comment on function private.rotate_webhook_secret(uuid, uuid, text, bytea, integer) is
  'A new sealed secret; the old ones sign on for the overlap, seven days at most. Raises not_allowed, endpoint_not_found. Definer: secrets are private; checks webhooks.write itself.';

create function private.open_webhook_endpoint(p_tenant uuid, p_endpoint uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
begin
  perform private.require_right(p_tenant, 'webhooks.write');
  select * into v_endpoint
    from public.webhook_endpoints where tenant_id = p_tenant and id = p_endpoint;
  if not found then
    perform private.refuse(404, 'endpoint_not_found', format('There is no endpoint %s in tenant %s', p_endpoint, p_tenant));
  end if;
  return jsonb_build_object('id', v_endpoint.id, 'url', v_endpoint.url,
    'enabled', v_endpoint.enabled, 'secrets', private.webhook_secrets_of(p_tenant, p_endpoint));
end;
$$;
comment on function private.open_webhook_endpoint(uuid, uuid) is
  '{id, url, enabled, secrets [{id, keyId, ciphertext}]} for a test event. Raises not_allowed, endpoint_not_found. Definer: secrets are private; checks webhooks.write itself.';
