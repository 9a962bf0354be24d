-- The catalogue's event of links that an administrator asked for.
insert into public.event_types (name, description, schema, example) values
  ('user.link_issued',
    'An administrator got a link for a person, to choose a new password or to take an invitation; whoever has it becomes them',
    '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", '
    '"additionalProperties": false, "required": ["kind", "by"], '
    '"properties": {"kind": {"enum": ["reset", "invitation"]}, '
    '"by": {"enum": ["link", "mail"], "description": "Shown to the administrator, or mailed to the person."}}}',
    '{"kind": "reset", "by": "link"}');
