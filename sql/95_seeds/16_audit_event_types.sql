-- The catalogue's events of audit sinks and exports that are more than the change of a row.
insert into public.event_types (name, description, schema, example) values
  ('audit_sink.rewound', 'A sink gets what was recorded from a moment on once more',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", '
    '"additionalProperties": false, "required": ["from", "cursor_seq_before", "cursor_seq_after"], '
    '"properties": {"from": {"type": ["string", "null"], "format": "date-time"}, '
    '"cursor_seq_before": {"type": "integer"}, "cursor_seq_after": {"type": "integer"}}}',
    '{"from": "2026-11-22T10:00:00+00:00", "cursor_seq_before": 5120, "cursor_seq_after": 4711}'),
  ('audit_sink.event_skipped', 'An event that the receiver refused as too large was passed over',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", '
    '"additionalProperties": false, "required": ["seq", "id", "tenant_id", "type", "size_bytes"], '
    '"properties": {"seq": {"type": "integer"}, "id": {"type": "string", "format": "uuid"}, '
    '"tenant_id": {"type": "string", "format": "uuid"}, "type": {"type": "string"}, '
    '"size_bytes": {"type": "integer"}}}',
    '{"seq": 4711, "id": "019ab3f0-1111-7000-8000-000000000001", '
    '"tenant_id": "019ab3f0-2222-7000-8000-000000000002", "type": "provider.updated", '
    '"size_bytes": 812345}'),
  ('audit_sink.events_dropped',
    'Retention dropped events that a sink had not taken; the places between may hold others',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", '
    '"additionalProperties": false, "required": ["recorded_until", "from_seq", "to_seq"], '
    '"properties": {"recorded_until": {"type": "string", "format": "date-time"}, '
    '"from_seq": {"type": "integer"}, "to_seq": {"type": "integer"}}}',
    '{"recorded_until": "2026-11-01T00:00:00+00:00", "from_seq": 4711, "to_seq": 5120}'),
  ('audit_sink.secret_rotated', 'A sink got a new secret to sign with',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", '
    '"additionalProperties": false, "required": ["overlap_seconds"], '
    '"properties": {"overlap_seconds": {"type": "integer", '
    '"description": "How long the old one signs on."}}}',
    '{"overlap_seconds": 86400}'),
  ('audit_export.downloaded', 'Somebody took an export away',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", '
    '"additionalProperties": false, "required": ["format", "size_bytes", "sha256"], '
    '"properties": {"format": {"enum": ["jsonl", "csv"]}, "size_bytes": {"type": "integer"}, '
    '"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}}',
    '{"format": "jsonl", "size_bytes": 81920, '
    '"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}');
