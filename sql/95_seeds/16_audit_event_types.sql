-- The catalogue's events of audit sinks and exports that are more than the change of a row.
insert into public.event_types (name, description, schema, example) values
  ('audit_sink.rewound', 'A sink gets what was recorded from a moment on once more',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", '
    '"additionalProperties": false, "required": ["from", "cursor_seq_before", "cursor_seq_after"], '
    '"properties": {"from": {"type": ["string", "null"], "format": "date-time"}, '
    '"cursor_seq_before": {"type": "integer"}, "cursor_seq_after": {"type": "integer"}}}',
    '{"from": "2026-11-22T10:00:00+00:00", "cursor_seq_before": 5120, "cursor_seq_after": 4711}'),
  ('audit_export.downloaded', 'Somebody took an export away',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", '
    '"additionalProperties": false, "required": ["format", "size_bytes", "sha256"], '
    '"properties": {"format": {"enum": ["jsonl", "csv"]}, "size_bytes": {"type": "integer"}, '
    '"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}}',
    '{"format": "jsonl", "size_bytes": 81920, '
    '"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}');
