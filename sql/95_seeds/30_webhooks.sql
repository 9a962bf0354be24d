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
    '{"names": ["authorization"]}');
