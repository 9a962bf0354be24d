-- The catalogue's events of audit sinks that are more than the change of a row.
insert into public.event_types (name, description, schema, example) values
  ('audit_sink.rewound', 'A sink gets what was recorded from a moment on once more',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", '
    '"additionalProperties": false, "required": ["from", "cursor_seq_before", "cursor_seq_after"], '
    '"properties": {"from": {"type": ["string", "null"], "format": "date-time"}, '
    '"cursor_seq_before": {"type": "integer"}, "cursor_seq_after": {"type": "integer"}}}',
    '{"from": "2026-11-22T10:00:00+00:00", "cursor_seq_before": 5120, "cursor_seq_after": 4711}');
