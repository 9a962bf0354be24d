-- What POST /functions/v1/webhooks/endpoints calls as its caller: the row and its sealed secrets come to be together.

create function private.new_id() returns uuid
language sql volatile set search_path = ''
as $$ select private.uuid_v7() $$;
comment on function private.new_id() is 'An id to seal a secret for, before its row is there.';

create function private.add_webhook_secrets(
  p_tenant uuid, p_endpoint uuid, p_scheme text, p_secrets jsonb
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_schemes text[];
begin
  select array_agg(s ->> 'scheme' order by s ->> 'scheme') into v_schemes
    from jsonb_array_elements(p_secrets) s;
  if v_schemes is distinct from
    (case p_scheme when 'both' then array['v1', 'v1a'] else array[p_scheme] end)
  then
    raise exception 'the secrets are % for the scheme %', v_schemes, p_scheme;
  end if;
  insert into private.webhook_secrets (tenant_id, endpoint_id, scheme, key_id, ciphertext)
  select p_tenant, p_endpoint, s ->> 'scheme', s ->> 'keyId', decode(s ->> 'ciphertext', 'base64')
    from jsonb_array_elements(p_secrets) s;
end;
$$;
comment on function private.add_webhook_secrets(uuid, uuid, text, jsonb) is
  'Keeps [{scheme, keyId, ciphertext (base64)}]: one of each kind that the scheme takes. Definer: secrets are private.';

create function private.create_webhook_endpoint(
  p_tenant uuid, p_id uuid, p_endpoint jsonb, p_secrets jsonb
) returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
  v_types text[];
begin
  perform private.require_right(p_tenant, 'webhooks.write');
  v_endpoint := jsonb_populate_record(null::public.webhook_endpoints, p_endpoint);
  v_types := v_endpoint.event_types;
  if v_endpoint.since_at < now() - interval '30 days' then
    perform private.refuse(422, 'since_too_old', 'since reaches back 30 days at most');
  end if;
  perform private.check_event_types(p_tenant, v_types);
  insert into public.webhook_endpoints (tenant_id, id, url, description, event_types, since_at,
    signature_scheme, public_key, retry_schedule, ordering, rate_per_second, payload_filter)
  values (p_tenant, p_id, v_endpoint.url, coalesce(v_endpoint.description, ''), v_types,
    least(coalesce(v_endpoint.since_at, now()), now()),
    coalesce(v_endpoint.signature_scheme, 'v1'), v_endpoint.public_key,
    coalesce(v_endpoint.retry_schedule,
      '{5,300,1800,7200,18000,36000,50400,72000,86400}'),
    coalesce(v_endpoint.ordering, 'parallel'), v_endpoint.rate_per_second,
    v_endpoint.payload_filter)
  returning * into v_endpoint;
  perform private.add_webhook_secrets(p_tenant, p_id, v_endpoint.signature_scheme, p_secrets);
  return private.webhook_endpoint_json(v_endpoint);
end;
$$;
comment on function private.create_webhook_endpoint(uuid, uuid, jsonb, jsonb) is
  'An endpoint, given by its columns, and its sealed secrets [{scheme, keyId, ciphertext}]; returns it as private.webhook_endpoint_json does. Raises not_allowed, since_too_old, '
  'event_type_unknown, event_types_malformed, retry_schedule_malformed, rate_per_second_malformed, payload_filter_refused. Definer: secrets are private; checks webhooks.write itself.';

create function private.webhook_endpoint_json(p_endpoint public.webhook_endpoints) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('id', (p_endpoint).id, 'url', (p_endpoint).url,
    'description', (p_endpoint).description, 'eventTypes', (p_endpoint).event_types,
    'since', (p_endpoint).since_at, 'enabled', (p_endpoint).enabled,
    'signatureScheme', (p_endpoint).signature_scheme, 'publicKey', (p_endpoint).public_key,
    'retrySchedule', (p_endpoint).retry_schedule, 'ordering', (p_endpoint).ordering,
    'ratePerSecond', (p_endpoint).rate_per_second, 'payloadFilter', (p_endpoint).payload_filter,
    'headerNames', (p_endpoint).header_names, 'createdAt', (p_endpoint).created_at)
$$;
comment on function private.webhook_endpoint_json(public.webhook_endpoints) is 'An endpoint as the webhooks function answers it; nothing secret is in it.';

create function private.rotate_webhook_secret(
  p_tenant uuid, p_endpoint uuid, p_scheme text, p_public_key text, p_secrets jsonb,
  p_overlap_seconds integer
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(p_tenant, 'webhooks.write');
  perform from public.webhook_endpoints
    where tenant_id = p_tenant and id = p_endpoint and removed_at is null for update;
  if not found then
    perform private.refuse(404, 'endpoint_not_found', format('There is no endpoint %s in tenant %s', p_endpoint, p_tenant));
  end if;
  delete from private.webhook_secrets
   where tenant_id = p_tenant and endpoint_id = p_endpoint and expires_at <= now();
  update private.webhook_secrets
     set expires_at = least(expires_at,
       now() + make_interval(secs => least(greatest(p_overlap_seconds, 0), 604800)))
   where tenant_id = p_tenant and endpoint_id = p_endpoint;
  update public.webhook_endpoints set signature_scheme = p_scheme, public_key = p_public_key
   where tenant_id = p_tenant and id = p_endpoint;
  perform private.add_webhook_secrets(p_tenant, p_endpoint, p_scheme, p_secrets);
  perform private.record_event(p_tenant, 'webhook_endpoint.secret_rotated',
    jsonb_build_array(jsonb_build_object('kind', 'webhook_endpoint', 'id', p_endpoint)),
    jsonb_build_object('overlap_seconds', p_overlap_seconds));
end;
$$;
comment on function private.rotate_webhook_secret(uuid, uuid, text, text, jsonb, integer) is
  'New sealed secrets, of the same scheme or another; the old ones sign on for the overlap, seven days at most. Raises not_allowed, endpoint_not_found. Definer: secrets are private; checks webhooks.write itself.';

create function private.put_webhook_headers(
  p_tenant uuid, p_endpoint uuid, p_names text[], p_key_id text, p_ciphertext bytea
) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform private.require_right(p_tenant, 'webhooks.write');
  update public.webhook_endpoints set header_names = p_names
   where tenant_id = p_tenant and id = p_endpoint and removed_at is null;
  if not found then
    perform private.refuse(404, 'endpoint_not_found', format('There is no endpoint %s in tenant %s', p_endpoint, p_tenant));
  end if;
  if cardinality(p_names) = 0 then
    delete from private.webhook_headers where tenant_id = p_tenant and endpoint_id = p_endpoint;
    if not found then
      return;
    end if;
  else
    insert into private.webhook_headers (tenant_id, endpoint_id, key_id, ciphertext)
    values (p_tenant, p_endpoint, p_key_id, p_ciphertext)
    on conflict (tenant_id, endpoint_id) do update
      set key_id = excluded.key_id, ciphertext = excluded.ciphertext, updated_at = now();
  end if;
  -- Of its own: another value under the same name changes no column that is governed.
  perform private.record_event(p_tenant, 'webhook_endpoint.headers_changed',
    jsonb_build_array(jsonb_build_object('kind', 'webhook_endpoint', 'id', p_endpoint)),
    jsonb_build_object('names', to_jsonb(p_names)));
end;
$$;
comment on function private.put_webhook_headers(uuid, uuid, text[], text, bytea) is
  'Replaces the headers that are added to an endpoint''s requests: names to be seen, the whole sealed; on record by their names (webhook_endpoint.headers_changed). Raises not_allowed, endpoint_not_found, header_names_refused. Definer: values are private; checks webhooks.write itself.';

create function private.open_webhook_endpoint(p_tenant uuid, p_endpoint uuid) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_endpoint public.webhook_endpoints;
begin
  perform private.require_right(p_tenant, 'webhooks.write');
  select * into v_endpoint
    from public.webhook_endpoints
   where tenant_id = p_tenant and id = p_endpoint and removed_at is null;
  if not found then
    perform private.refuse(404, 'endpoint_not_found', format('There is no endpoint %s in tenant %s', p_endpoint, p_tenant));
  end if;
  return jsonb_build_object('id', v_endpoint.id, 'url', v_endpoint.url,
    'enabled', v_endpoint.enabled, 'signatureScheme', v_endpoint.signature_scheme,
    'headers', private.webhook_headers_of(p_tenant, p_endpoint),
    'secrets', private.webhook_secrets_of(p_tenant, p_endpoint));
end;
$$;
comment on function private.open_webhook_endpoint(uuid, uuid) is
  '{id, url, enabled, signatureScheme, headers {keyId, ciphertext} | null, secrets [{id, scheme, keyId, ciphertext}]} for a test event and a rotation. Raises not_allowed, endpoint_not_found. Definer: secrets are private; checks webhooks.write itself.';
