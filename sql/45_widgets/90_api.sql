-- Publishing. The caller's right is checked here: callers never write versions.

create function private.put_widget_version(
  p_config public.widget_configs, p_body text, p_logo_hash text, p_restores integer
) returns public.widget_config_versions
language plpgsql volatile set search_path = ''
as $$
declare
  v_hash text := encode(sha256(convert_to(p_body, 'UTF8')), 'hex');
  v_newest public.widget_config_versions;
begin
  select * into v_newest from public.widget_config_versions v
   where v.tenant_id = p_config.tenant_id and v.config_id = p_config.id
   order by v.number desc limit 1;
  if v_newest.hash = v_hash then
    return v_newest;
  end if;
  insert into public.widget_config_versions as v
    (tenant_id, config_id, number, body, hash, logo_hash, restores, published_by)
  values (p_config.tenant_id, p_config.id, coalesce(v_newest.number, 0) + 1, p_body, v_hash,
    p_logo_hash, p_restores, private.current_actor())
  returning v.* into v_newest;
  perform private.record_event(p_config.tenant_id, 'widget_config.published',
    jsonb_build_array(jsonb_build_object('kind', 'widget_config', 'id', p_config.id)),
    jsonb_build_object('app_id', p_config.app_id, 'number', v_newest.number, 'hash', v_hash,
      'restores', p_restores));
  return v_newest;
end;
$$;
comment on function private.put_widget_version(public.widget_configs, text, text, integer) is
  'Makes the next version, or returns the newest when it says the same. The caller holds the configuration''s row; run by the functions below, as their owner.';

create function private.hold_widget_config(p_tenant uuid, p_config uuid)
returns public.widget_configs
language plpgsql volatile set search_path = ''
as $$
declare
  v_config public.widget_configs;
begin
  perform private.require_right(p_tenant, 'widgets.write');
  select * into v_config from public.widget_configs c
   where c.tenant_id = p_tenant and c.id = p_config for update;
  if not found then
    perform private.refuse(404, 'widget_config_not_found',
      format('There is no configuration %s in tenant %s', p_config, p_tenant));
  end if;
  return v_config;
end;
$$;
comment on function private.hold_widget_config(uuid, uuid) is
  'The draft, held until the transaction ends. Checks widgets.write; raises not_allowed, widget_config_not_found.';

create function public.publish_widget_config(tenant_id uuid, config_id uuid)
returns public.widget_config_versions
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_config public.widget_configs := private.hold_widget_config(
    publish_widget_config.tenant_id, publish_widget_config.config_id);
begin
  perform private.require_readable_theme(v_config.theme); -- the widget's own colours may have changed since
  return private.put_widget_version(
    v_config, private.widget_document(v_config)::text, v_config.logo_hash, null);
end;
$$;
comment on function public.publish_widget_config(uuid, uuid) is
  'Makes the draft what people see from the next sign-in on; returns the version, the newest one when nothing differs from it. '
  'Errors: 403 not_allowed, 404 widget_config_not_found, 422 contrast_too_low. Definer: callers never write versions; checks widgets.write itself.';

create function public.revert_widget_config(tenant_id uuid, config_id uuid, number integer)
returns public.widget_config_versions
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_config public.widget_configs := private.hold_widget_config(
    revert_widget_config.tenant_id, revert_widget_config.config_id);
  v_old public.widget_config_versions;
begin
  select * into v_old from public.widget_config_versions v
   where v.tenant_id = v_config.tenant_id and v.config_id = v_config.id
     and v.number = revert_widget_config.number;
  if not found then
    perform private.refuse(404, 'widget_version_not_found',
      format('The configuration has no version %s', revert_widget_config.number));
  end if;
  return private.put_widget_version(v_config, v_old.body, v_old.logo_hash, v_old.number);
end;
$$;
comment on function public.revert_widget_config(uuid, uuid, integer) is
  'Publishes an earlier version once more, under a new number; the draft stays as it is. Returns the version that people now see. '
  'Errors: 403 not_allowed, 404 widget_config_not_found, widget_version_not_found. Definer: callers never write versions; checks widgets.write itself.';
