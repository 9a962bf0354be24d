-- Settings that platform staff may change from the first day on.
insert into public.settings (key, value) values
  ('audit.retention_days', 'null'),
  ('mails.retention_days', '30'),
  ('network.offline', 'null'); -- or {"networks": ["10.0.0.0/8"], "domains": ["corp.example"]}: no provider outside them
