-- What operators may tune of webhooks (public.settings), and their one event that is more than the change of a row.
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
      "first_failure_at": "2026-11-17T10:00:00.25+00:00"}');
