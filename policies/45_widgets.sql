-- public.widget_configs: widgets.read reads, widgets.write makes, changes and removes. With a draft go its versions; what was published is on record.
alter table public.widget_configs enable row level security;
revoke all on public.widget_configs from public, anon, authenticated, service_role;
grant select, delete,
  insert (tenant_id, app_id, theme, layout, logo_hash, flows, texts, languages, terms_url,
    privacy_url),
  update (theme, layout, logo_hash, flows, texts, languages, terms_url, privacy_url)
  on public.widget_configs to authenticated, gatehouse_platform;

create policy widget_configs_select_reader on public.widget_configs for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('widgets.read'))));
create policy widget_configs_insert_writer on public.widget_configs for insert to authenticated
  with check (tenant_id = any (array(select private.tenants_with('widgets.write'))));
create policy widget_configs_update_writer on public.widget_configs for update to authenticated
  using (tenant_id = any (array(select private.tenants_with('widgets.write'))))
  with check (tenant_id = any (array(select private.tenants_with('widgets.write'))));
create policy widget_configs_delete_writer on public.widget_configs for delete to authenticated
  using (tenant_id = any (array(select private.tenants_with('widgets.write'))));
create policy widget_configs_select_platform
  on public.widget_configs for select to gatehouse_platform
  using ((select private.platform_has('widgets.read')));
create policy widget_configs_insert_platform
  on public.widget_configs for insert to gatehouse_platform
  with check ((select private.platform_has('widgets.write')));
create policy widget_configs_update_platform
  on public.widget_configs for update to gatehouse_platform
  using ((select private.platform_has('widgets.write')))
  with check ((select private.platform_has('widgets.write')));
create policy widget_configs_delete_platform
  on public.widget_configs for delete to gatehouse_platform
  using ((select private.platform_has('widgets.write')));

-- public.widget_config_versions: read by who reads the drafts. No insert, update, delete: publishing writes them.
alter table public.widget_config_versions enable row level security;
revoke all on public.widget_config_versions from public, anon, authenticated, service_role;
grant select on public.widget_config_versions to authenticated, gatehouse_platform;

create policy widget_config_versions_select_reader
  on public.widget_config_versions for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('widgets.read'))));
create policy widget_config_versions_select_platform
  on public.widget_config_versions for select to gatehouse_platform
  using ((select private.platform_has('widgets.read')));

-- public.widget_logos: widgets.write adds and removes. No update: another picture is another row. Type and hash are filled in by the bytes.
alter table public.widget_logos enable row level security;
revoke all on public.widget_logos from public, anon, authenticated, service_role;
grant select, delete, insert (tenant_id, bytes)
  on public.widget_logos to authenticated, gatehouse_platform;

create policy widget_logos_select_reader on public.widget_logos for select to authenticated
  using (tenant_id = any (array(select private.tenants_with('widgets.read'))));
create policy widget_logos_insert_writer on public.widget_logos for insert to authenticated
  with check (tenant_id = any (array(select private.tenants_with('widgets.write'))));
create policy widget_logos_delete_writer on public.widget_logos for delete to authenticated
  using (tenant_id = any (array(select private.tenants_with('widgets.write'))));
create policy widget_logos_select_platform on public.widget_logos for select to gatehouse_platform
  using ((select private.platform_has('widgets.read')));
create policy widget_logos_insert_platform on public.widget_logos for insert to gatehouse_platform
  with check ((select private.platform_has('widgets.write')));
create policy widget_logos_delete_platform on public.widget_logos for delete to gatehouse_platform
  using ((select private.platform_has('widgets.write')));

-- Pure checks, run by triggers as the caller.
grant execute on function
  private.widget_colours(), private.widget_fonts(), private.widget_pairs(),
  private.relative_luminance(text), private.contrast_ratio(text, text),
  private.widget_colour(jsonb, text, text),
  private.widget_theme_problem(jsonb), private.require_readable_theme(jsonb),
  private.widget_languages(), private.widget_text_keys(), private.widget_flows_problem(jsonb),
  private.widget_texts_problem(jsonb), private.widget_languages_problem(text[]),
  private.refuse(integer, text, text),
  public.check_widget_theme(jsonb)
  to authenticated, gatehouse_platform;
grant execute on function
  public.publish_widget_config(uuid, uuid), public.revert_widget_config(uuid, uuid, integer)
  to authenticated, gatehouse_platform;
grant execute on function
  private.widget_look(uuid, uuid), private.widget_config_body(text), private.widget_logo(text),
  private.keep_widget_script(text, bytea), private.widget_script(text)
  to gatehouse_functions;

revoke all on private.widget_scripts from public, anon, authenticated, service_role;
