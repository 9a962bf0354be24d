-- Reference data of the product: rights, built-in roles, the catalogue of events.

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
  ('webhooks.read', 'See webhook endpoints, deliveries and attempts'),
  ('webhooks.write', 'Make, change and test webhook endpoints'),
  ('audit.read', 'Read the log'),
  ('settings.read', 'See the instance''s settings'),
  ('settings.write', 'Change the instance''s settings');

insert into public.roles (key, scope, description) values
  ('platform_admin', 'platform', 'Everything, everywhere'),
  ('platform_auditor', 'platform', 'Reads everything, everywhere'),
  ('tenant_admin', 'tenant', 'Everything in one tenant'),
  ('tenant_member', 'tenant', 'Sees the tenant and its applications'),
  ('auditor', 'tenant', 'Reads everything in one tenant');

insert into public.role_rights (role_key, right_key)
select r.key, g.key
  from public.roles r
  join public.rights g on case r.key
    when 'platform_admin' then true
    when 'platform_auditor' then g.key like '%.read'
    when 'tenant_admin' then g.key not like 'settings.%'
    when 'tenant_member' then g.key in ('tenants.read', 'apps.read')
    when 'auditor' then g.key like '%.read' and g.key <> 'settings.read'
  end;

insert into public.event_types (name, description) values
  ('tenant.created', 'A tenant was made; provisioning starts'),
  ('tenant.updated', 'A tenant''s name, plan, branding or first administrator changed'),
  ('tenant.deleted', 'A tenant''s row was removed by an operator'),
  ('tenant.activated', 'Every required step of provisioning settled'),
  ('tenant.suspended', 'Platform staff suspended the tenant'),
  ('tenant.resumed', 'Platform staff resumed the tenant'),
  ('tenant.archived', 'Platform staff archived the tenant'),
  ('tenant_domain.created', 'A domain was claimed'),
  ('tenant_domain.updated', 'A domain was verified or changed'),
  ('tenant_domain.deleted', 'A claim to a domain was given up'),
  ('subscription.created', 'A tenant got a plan'),
  ('subscription.updated', 'A subscription''s period changed'),
  ('subscription.deleted', 'A subscription was removed'),
  ('app.created', 'An application was made'),
  ('app.updated', 'An application changed'),
  ('app.deleted', 'An application was removed'),
  ('app.activated', 'ZITADEL confirmed the application; it signs people in'),
  ('app.secret_rotated', 'A confidential application got a new secret'),
  ('provider.created', 'A sign-in provider was made'),
  ('provider.updated', 'A sign-in provider changed'),
  ('provider.deleted', 'A sign-in provider was removed'),
  ('user.created', 'A person became known'),
  ('user.updated', 'A person''s profile or state changed'),
  ('user.deleted', 'A person''s row was removed by an operator'),
  ('user.signed_in', 'A person signed in to an application'),
  ('user.signed_out', 'A person''s session was ended'),
  ('user.sign_in_failed', 'A wrong password; at most one record per person and minute'),
  ('user.erased', 'A person''s personal values were erased, here and at ZITADEL'),
  ('legal_hold.created', 'Platform staff placed a legal hold: nothing of the tenant is erased'),
  ('legal_hold.updated', 'A legal hold was lifted'),
  ('legal_hold.deleted', 'A legal hold''s row was removed by an operator'),
  ('service_account.created', 'A service account was made'),
  ('service_account.updated', 'A service account changed'),
  ('service_account.deleted', 'A service account was removed'),
  ('assignment.created', 'Somebody got a role'),
  ('assignment.updated', 'Somebody''s role changed'),
  ('assignment.deleted', 'Somebody lost a role'),
  ('webhook_endpoint.created', 'A webhook endpoint was made'),
  ('webhook_endpoint.updated', 'A webhook endpoint changed or was disabled'),
  ('webhook_endpoint.deleted', 'A webhook endpoint was removed'),
  ('webhook_endpoint.secret_rotated', 'A webhook endpoint got a new secret'),
  ('setting.created', 'A setting was set'),
  ('setting.updated', 'A setting changed'),
  ('setting.deleted', 'A setting was removed'),
  ('right.created', 'A right was added by an upgrade'),
  ('right.updated', 'A right changed by an upgrade'),
  ('right.deleted', 'A right was removed by an upgrade'),
  ('role.created', 'A role was added by an upgrade'),
  ('role.updated', 'A role changed by an upgrade'),
  ('role.deleted', 'A role was removed by an upgrade'),
  ('role_right.created', 'A role got a right by an upgrade'),
  ('role_right.deleted', 'A role lost a right by an upgrade'),
  ('event_type.created', 'A type of event was added by an upgrade'),
  ('event_type.updated', 'A type of event changed by an upgrade'),
  ('event_type.deleted', 'A type of event was removed by an upgrade');
