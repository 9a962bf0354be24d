-- What operators may tune of webhooks (public.settings), and their events that are more than the change of a row.
-- Others of these: 15_event_types.sql.
insert into public.settings (key, value) values
  ('webhooks.disable_after_days', '5'),
  ('webhooks.attempts_retention_days', '30'),
  ('webhooks.deliveries_retention_days', '90');

insert into public.event_types (name, description, schema, example) values
  ('webhook_endpoint.disabled',
    'A webhook endpoint stopped; its waiting deliveries were cancelled',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
      "additionalProperties": false, "required": ["url", "reason", "first_failure_at"],
      "properties": {
        "url": {"type": "string"},
        "reason": {"type": ["string", "null"],
          "description":
            "gone, asked, failing, payload_filter_slow, removed, or what the caller wrote."},
        "first_failure_at": {"type": ["string", "null"], "format": "date-time",
          "description": "Since then every attempt failed."}}}',
    '{"url": "https://receiver.acme.example/hooks", "reason": "failing",
      "first_failure_at": "2026-11-17T10:00:00.25+00:00"}'),
  ('webhook_endpoint.resumed',
    'The rest of a webhook endpoint was ended: what waited for a later attempt is due at once',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
      "additionalProperties": false, "required": ["count", "circuit", "paused_until"],
      "properties": {
        "count": {"type": "integer", "minimum": 0,
          "description": "How many deliveries are due earlier than before."},
        "circuit": {"enum": ["closed", "open", "half_open"], "description": "Before."},
        "paused_until": {"type": ["string", "null"], "format": "date-time",
          "description": "Before."}}}',
    '{"count": 12, "circuit": "open", "paused_until": "2026-11-22T10:15:00.25+00:00"}'),
  ('webhook_endpoint.headers_changed',
    'The headers of a webhook endpoint''s requests were replaced, or only their values',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
      "additionalProperties": false, "required": ["names"],
      "properties": {
        "names": {"type": "array", "items": {"type": "string"},
          "description": "Those that there are now; empty: none. Values are never told."}}}',
    '{"names": ["authorization"]}'),
  ('webhook_endpoint.test',
    'A test that somebody asked for: sent to that one endpoint, in no log',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
      "additionalProperties": false, "required": ["endpoint_id"],
      "properties": {"endpoint_id": {"type": "string", "format": "uuid"}}}',
    '{"endpoint_id": "01990000-0000-7000-8000-000000000001"}'),
  ('webhook_endpoint.tested',
    'A test event was sent to a webhook endpoint',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
      "additionalProperties": false, "required": ["status", "error_class"],
      "properties": {
        "status": {"type": ["integer", "null"],
          "description": "What the receiver answered; null: nothing."},
        "error_class": {"type": ["string", "null"],
          "description": "Why there was no answer, such as connect_failed or timeout."}}}',
    '{"status": 204, "error_class": null}');
