-- The catalogue's events of a tenant's sign-in that are more than the change of a row.
insert into public.event_types (name, description, schema, example) values
  ('widget_config.published', 'What people see when they sign in changed',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", '
    '"additionalProperties": false, "required": ["app_id", "number", "hash", "restores"], '
    '"properties": {"app_id": {"type": ["string", "null"], "format": "uuid"}, '
    '"number": {"type": "integer", "minimum": 1}, '
    '"hash": {"type": "string", "pattern": "^[0-9a-f]{64}$"}, '
    '"restores": {"type": ["integer", "null"], '
    '"description": "The earlier version that was brought back."}}}',
    '{"app_id": null, "number": 3, '
    '"hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", '
    '"restores": null}');
