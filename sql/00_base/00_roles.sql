-- The database roles, made only where missing and never altered: on Supabase the first four exist and are reserved.
-- None gets a password here; the installer sets those (docs/operations.md). Who may what: policies/.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['anon', 'authenticated', 'service_role', 'gatehouse_platform'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
      execute format('create role %I nologin noinherit', v_role);
    end if;
  end loop;
  foreach v_role in array
    array['authenticator', 'gatehouse_functions', 'gatehouse_provision', 'gatehouse_worker',
      'gatehouse_gateway']
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
      execute format('create role %I login noinherit', v_role);
    end if;
  end loop;
  -- gatehouse_functions is the public processes' (widget, session, zitadel), gatehouse_provision the internal one's (provision, webhooks).
  -- A grant that exists is left alone: Supabase's own may carry options that are not ours to change.
  foreach v_role in array array['anon', 'authenticated', 'service_role', 'gatehouse_platform'] loop
    if not pg_catalog.pg_has_role('authenticator', v_role, 'set') then
      execute format('grant %I to authenticator', v_role);
    end if;
    if v_role <> 'service_role' and not pg_catalog.pg_has_role('gatehouse_functions', v_role, 'set')
    then
      execute format('grant %I to gatehouse_functions', v_role);
    end if;
    if v_role <> 'service_role' and not pg_catalog.pg_has_role('gatehouse_provision', v_role, 'set')
    then
      execute format('grant %I to gatehouse_provision', v_role);
    end if;
  end loop;
end;
$$;

create schema private;
comment on schema private is
  'Helpers, definers and secrets. Not exposed over HTTP; roles hold exactly the execute rights that hook and policies need.';
