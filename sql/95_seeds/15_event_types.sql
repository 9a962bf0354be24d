-- The catalogue of events. The changes of every governed table come from the catalog of tables, so only their texts stand here.

insert into public.event_types (name, description, schema, example)
select k.kind || v.verb, coalesce(t.description, replace(k.kind, '_', ' ') || v.otherwise),
       private.change_schema(k.kind || v.verb), private.change_example(k.kind || v.verb)
  from private.governed_kinds() k
  cross join (values
    ('.created', ' made'), ('.updated', ' changed'), ('.deleted', ' removed')
  ) as v (verb, otherwise)
  left join (values
    ('tenant.created', 'A tenant was made; provisioning starts'),
    ('tenant.updated', 'A tenant''s name, plan, branding or first administrator changed'),
    ('tenant.deleted', 'A tenant''s row was removed by an operator'),
    ('tenant_domain.created', 'A domain was claimed'),
    ('tenant_domain.updated', 'A domain was verified or changed'),
    ('tenant_domain.deleted', 'A claim to a domain was given up'),
    ('subscription.created', 'A tenant got a plan'),
    ('subscription.updated', 'A subscription''s period changed'),
    ('subscription.deleted', 'A subscription was removed'),
    ('app.created', 'An application was made'),
    ('app.updated', 'An application changed'),
    ('app.deleted', 'An application was removed'),
    ('provider.created', 'A sign-in provider was made'),
    ('provider.updated', 'A sign-in provider changed'),
    ('provider.deleted', 'A sign-in provider was removed'),
    ('widget_config.created', 'A draft of how sign-in looks was made'),
    ('widget_config.updated', 'A draft of how sign-in looks changed; people see it once published'),
    ('widget_config.deleted', 'A draft was removed, and its versions with it'),
    ('widget_logo.created', 'A picture for sign-in was added'),
    ('widget_logo.updated', 'A picture''s row was changed by an operator'),
    ('widget_logo.deleted', 'A picture was removed'),
    ('user.created', 'A person became known'),
    ('user.updated', 'A person''s profile or state changed'),
    ('user.deleted', 'A person''s row was removed by an operator'),
    ('service_account.created', 'A service account was made'),
    ('service_account.updated', 'A service account changed'),
    ('service_account.deleted', 'A service account was removed'),
    ('assignment.created', 'Somebody got a role'),
    ('assignment.updated', 'Somebody''s role changed'),
    ('assignment.deleted', 'Somebody lost a role'),
    ('webhook_endpoint.created', 'A webhook endpoint was made'),
    ('webhook_endpoint.updated', 'A webhook endpoint changed or was disabled'),
    ('webhook_endpoint.deleted', 'A webhook endpoint was removed'),
    ('setting.created', 'A setting was set'),
    ('setting.updated', 'A setting changed'),
    ('setting.deleted', 'A setting was removed'),
    ('legal_hold.created', 'Platform staff placed a legal hold: nothing of the tenant is erased'),
    ('legal_hold.updated', 'A legal hold was lifted'),
    ('legal_hold.deleted', 'A legal hold''s row was removed by an operator'),
    ('right.created', 'A right was added by an upgrade'),
    ('right.updated', 'A right changed by an upgrade'),
    ('right.deleted', 'A right was removed by an upgrade'),
    ('role.created', 'A role was added by an upgrade'),
    ('role.updated', 'A role changed by an upgrade'),
    ('role.deleted', 'A role was removed by an upgrade'),
    ('event_type.created', 'A type of event was added by an upgrade'),
    ('event_type.updated', 'A type of event changed by an upgrade'),
    ('event_type.deleted', 'A type of event was removed by an upgrade')
  ) as t (name, description) on t.name = k.kind || v.verb
 order by 1;

-- What is more than the change of a row. Every property is required.
insert into public.event_types (name, description, schema, example)
select t.name, t.description,
       jsonb_build_object(
         '$schema', 'https://json-schema.org/draft/2020-12/schema', 'type', 'object',
         'additionalProperties', false, 'properties', t.properties::jsonb,
         'required', coalesce(
           (select jsonb_agg(k) from jsonb_object_keys(t.properties::jsonb) k), '[]')),
       t.example::jsonb
  from (values
    ('role_right.created', 'A role got a right by an upgrade; targets: both', '{}', '{}'),
    ('role_right.deleted', 'A role lost a right by an upgrade; targets: both', '{}', '{}'),
    ('audit.dropped', 'A month of the log was dropped by retention; a tombstone stands for it',
      '{"recorded_until": {"type": "string", "format": "date-time"}, '
      '"events": {"type": "integer", "minimum": 1}, '
      '"size": {"type": "integer", "minimum": 0, '
      '"description": "Records of the sealed log before this index are gone."}, '
      '"root": {"type": "string", "pattern": "^[0-9a-f]{64}$"}, '
      '"first_seq": {"type": ["integer", "null"]}, "last_seq": {"type": ["integer", "null"]}}',
      '{"recorded_until": "2025-11-01T00:00:00+00:00", "events": 120, "size": 118, '
      '"root": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", '
      '"first_seq": 1, "last_seq": 140}'),
    ('audit.forked',
      'The target''s log was changed after it was sealed: the worker signs it no more',
      '{"size": {"type": "integer", "description": "So far the database says it is signed."}, '
      '"known_size": {"type": "integer", "description": "Of the newest checkpoint known outside."}}',
      '{"size": 1200, "known_size": 1200}'),
    ('audit.removal_refused',
      'The worker did not sign that records of the target were removed by retention: look at once',
      '{"size": {"type": "integer", "description": "Records before this index were to be gone."}, '
      '"reason": {"type": "string", '
      '"enum": ["no_checkpoint", "record_too_young", "tree_altered", "unsigned_beginning"]}}',
      '{"size": 25, "reason": "unsigned_beginning"}'),
    ('audit.seal_late',
      'The seal of the log is behind: events wait for their number, their leaf or their signature',
      '{"unsequenced": {"type": "integer", "minimum": 0, "description": "A transaction that stays open holds them up."}, '
      '"unsealed": {"type": "integer", "minimum": 0}, "unsigned": {"type": "integer", "minimum": 0}, '
      '"seconds": {"type": "integer", "minimum": 0, "description": "Since the oldest of them was recorded."}}',
      '{"unsequenced": 120, "unsealed": 0, "unsigned": 0, "seconds": 47}'),
    ('audit.key_changed',
      'Another key signs the log from now on: see that it is yours',
      '{"public_key": {"type": "string", "description": "Ed25519, in base64."}, '
      '"previous_public_key": {"type": "string"}, '
      '"succession": {"type": ["string", "null"], '
      '"description": "The note in which the former key names the new one; null where it was stolen or lost."}}',
      '{"public_key": "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=", '
      '"previous_public_key": "2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWARo=", "succession": null}'),
    ('app.activated', 'ZITADEL confirmed the application; it signs people in',
      '{"client_id": {"type": ["string", "null"], "description": "The client_id of its tokens."}}',
      '{"client_id": "331122334455667788"}'),
    ('provider.activated', 'ZITADEL has the provider as it is wanted; enabled, it signs people in',
      '{"idp_id": {"type": "string", "description": "The provider''s id in ZITADEL."}}',
      '{"idp_id": "331122334455667790"}'),
    ('app.secret_rotated', 'A confidential application got a new secret', '{}', '{}'),
    ('webhook_endpoint.secret_rotated', 'A webhook endpoint got a new secret',
      '{"overlap_seconds": {"type": "integer", "description": "How long the old one signs on."}}',
      '{"overlap_seconds": 86400}'),
    ('webhook_endpoint.replayed', 'Events were sent to a webhook endpoint once more',
      '{"count": {"type": "integer", "minimum": 1}, "filter": {"type": "object", "additionalProperties": false, '
      '"description": "Which: one event, what a filter found, or what was missed since.", "properties": '
      '{"event_id": {"type": "string", "format": "uuid"}, "types": {"type": "array", "items": {"type": "string"}}, '
      '"states": {"type": "array", "items": {"type": "string"}}, "missed": {"type": "boolean"}, '
      '"since": {"type": "string", "format": "date-time"}, "until": {"type": "string", "format": "date-time"}}}}',
      '{"count": 12, "filter": {"types": ["user.*"], "states": ["dead"]}}'),
    ('user.signed_in', 'A person signed in to an application',
      '{"session_id": {"type": "string"}, "client_id": {"type": "string"}, '
      '"auth_methods": {"type": "array", "items": {"type": "string"}, "description": "As ZITADEL names them."}}',
      '{"session_id": "331122334455667788", "client_id": "331122334455667789", '
      '"auth_methods": ["password"]}'),
    ('user.signed_out', 'A person''s session was ended; one event for each client',
      '{"session_id": {"type": "string"}, "client_id": {"type": "string"}}',
      '{"session_id": "331122334455667788", "client_id": "331122334455667789"}'),
    ('user.sign_in_failed',
      'Refused sign-ins to one account within a minute, counted; target: the person, or the account''s hash when nobody has it',
      '{"account": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$", '
      '"description": "Salted hash of the account; null: the sum of what went beyond a hundred accounts in the minute."}, '
      '"count": {"type": "integer", "minimum": 1}, '
      '"reasons": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "integer", "minimum": 1}, '
      '"propertyNames": {"pattern": "^[a-z_]+$"}, '
      '"description": "Count by reason: password, second_factor, account_unknown, or what else stood in the way."}, '
      '"first_at": {"type": "string", "format": "date-time"}, "last_at": {"type": "string", "format": "date-time"}}',
      '{"account": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", '
      '"count": 3, "reasons": {"password": 3}, '
      '"first_at": "2026-11-22T10:00:01.5+00:00", "last_at": "2026-11-22T10:00:42.25+00:00"}'),
    ('user.email_verified', 'A person''s e-mail address was verified', '{}', '{}'),
    ('user.password_changed', 'A person''s password was set or changed',
      '{"change_required": {"type": "boolean", "description": "To be changed at the next sign-in."}}',
      '{"change_required": false}'),
    ('user.factor_added', 'A person can now use a further factor',
      '{"factor": {"enum": ["totp", "otp_sms", "otp_email", "u2f", "passkey", "recovery_codes"]}}',
      '{"factor": "totp"}'),
    ('user.factor_removed', 'A person lost a factor',
      '{"factor": {"enum": ["totp", "otp_sms", "otp_email", "u2f", "passkey", "recovery_codes"]}}',
      '{"factor": "totp"}'),
    ('user.deactivated', 'A person was switched off', '{}', '{}'),
    ('user.reactivated', 'A person was switched on again', '{}', '{}'),
    ('user.locked', 'A person was locked, as after too many wrong passwords', '{}', '{}'),
    ('user.unlocked', 'A person was unlocked', '{}', '{}'),
    ('user.removed', 'A person was removed in ZITADEL', '{}', '{}'),
    ('user.erased', 'A person''s personal values were erased, here and at ZITADEL',
      '{"events": {"type": "integer", "minimum": 0, '
      '"description": "How many events had values of theirs."}}',
      '{"events": 12}')
  ) as t (name, description, properties, example);

insert into public.event_types (name, description, schema, example)
select 'tenant.' || t.verb, t.description,
       jsonb_build_object(
         '$schema', 'https://json-schema.org/draft/2020-12/schema', 'type', 'object',
         'additionalProperties', false, 'required', '["before", "after"]'::jsonb,
         'properties', jsonb_build_object('before', s.status, 'after', s.status)),
       jsonb_build_object('before', jsonb_build_object('status', t.before),
         'after', jsonb_build_object('status', t.after))
  from (values
    ('activated', 'Every required step of provisioning settled', 'provisioning', 'active'),
    ('provisioning', 'An operator sent the tenant back to provisioning', 'active', 'provisioning'),
    ('suspended', 'Platform staff suspended the tenant', 'active', 'suspended'),
    ('resumed', 'Platform staff resumed the tenant', 'suspended', 'active'),
    ('archived', 'Platform staff archived the tenant', 'active', 'archived')
  ) as t (verb, description, before, after),
  (select (
    '{"type": "object", "additionalProperties": false, "required": ["status"], "properties": '
    '{"status": {"enum": ["provisioning", "active", "suspended", "archived"]}}}'
  )::jsonb) as s (status);
