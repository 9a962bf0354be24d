-- Reference data of the product: rights, built-in roles. The catalogue of events: 15_event_types.sql.

insert into public.rights (key, description) values
  ('tenants.read', 'See a tenant, its domains, subscriptions and provisioning'),
  ('tenants.write', 'Make and change tenants; in one tenant: its name, branding and domains'),
  ('users.read', 'See the people of a tenant and their sessions'),
  ('users.write', 'Sign people out everywhere, export and erase what is known of them'),
  ('access.read', 'See who holds which role, and service accounts'),
  ('access.write', 'Assign roles, make and disable service accounts'),
  ('apps.read', 'See applications'),
  ('apps.write', 'Make and change applications'),
  ('providers.read', 'See sign-in providers'),
  ('providers.write', 'Make and change sign-in providers'),
  ('widgets.read', 'See how sign-in looks, drafts and versions'),
  ('widgets.write', 'Make, change and publish how sign-in looks and what it offers'),
  ('webhooks.read', 'See webhook endpoints, deliveries and attempts'),
  ('webhooks.write', 'Make, change and test webhook endpoints'),
  ('audit.read', 'Read the log'),
  ('audit.write', 'Make, change and rewind audit sinks'),
  ('events.read', 'See the types of a tenant''s own events'),
  ('events.write', 'Register types of a tenant''s own events, and record such events'),
  ('settings.read', 'See the instance''s settings'),
  ('settings.write', 'Change the instance''s settings');

insert into public.roles (key, scope, description) values
  ('platform_admin', 'platform', 'Everything, everywhere'),
  ('platform_auditor', 'platform', 'Reads everything, everywhere'),
  ('tenant_admin', 'tenant', 'Everything in one tenant'),
  ('tenant_member', 'tenant', 'Sees the tenant and its applications'),
  ('auditor', 'tenant', 'Reads everything in one tenant'),
  ('event_recorder', 'tenant', 'Records the tenant''s own events: for its services');

insert into public.role_rights (role_key, right_key)
select r.key, g.key
  from public.roles r
  join public.rights g on case r.key
    when 'platform_admin' then true
    when 'platform_auditor' then g.key like '%.read'
    when 'tenant_admin' then g.key not like 'settings.%'
    when 'tenant_member' then g.key in ('tenants.read', 'apps.read')
    when 'event_recorder' then g.key in ('events.read', 'events.write')
    when 'auditor' then g.key like '%.read' and g.key <> 'settings.read'
  end;
