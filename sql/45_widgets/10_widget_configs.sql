-- widget_configs: how sign-in looks and what it offers, for all applications of a tenant or for one; the row is the draft.
-- Nobody who signs in sees a draft: rpc/publish_widget_config makes a version of it.
-- Next: 20_widget_config_versions.sql (what was published), 90_api.sql (publishing), policies/45_widgets.sql (who may).
create table public.widget_configs (
  tenant_id uuid not null references public.tenants on delete cascade,
  id uuid not null default private.uuid_v7(),
  app_id uuid,
  theme jsonb not null default '{}',
  layout text not null default 'card'
    constraint widget_layout_unknown check (layout in ('card', 'plain', 'split')),
  logo_hash text,
  flows jsonb not null default '{}',
  texts jsonb not null default '{}',
  languages text[] not null default private.widget_languages(),
  terms_url text,
  privacy_url text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  constraint widget_config_taken unique nulls not distinct (tenant_id, app_id),
  constraint widget_config_app_unknown foreign key (tenant_id, app_id)
    references public.apps (tenant_id, id) on delete cascade,
  constraint widget_config_logo_unknown foreign key (tenant_id, logo_hash)
    references public.widget_logos (tenant_id, hash)
);
comment on table public.widget_configs is 'The draft of how a tenant''s sign-in looks and what it offers.';
comment on column public.widget_configs.app_id is 'For this application only; null: for all that have none of their own published.';
comment on column public.widget_configs.theme is
  '{light: {token: "#rrggbb"}, dark: {…}, radius: pixels, font: name}; what is absent is the widget''s own. Readable by WCAG 2.2 AA, else it is refused.';
comment on column public.widget_configs.flows is
  '{password, passkey, register, reset}: false switches off; email_code: true lets a code by e-mail alone sign in. What is on counts as far as the organization''s settings allow it.';
comment on column public.widget_configs.texts is 'By language, then by key of the widget''s texts: plain text.';
comment on column public.widget_configs.languages is 'Offered to people; the first is the default.';
comment on column public.widget_configs.terms_url is 'Shown where an account is made, with a box to tick.';
comment on column public.widget_configs.privacy_url is 'Shown where an account is made.';
create index widget_configs_logo_hash_idx on public.widget_configs (tenant_id, logo_hash);

create function private.tg_widget_configs__check() returns trigger
language plpgsql volatile set search_path = ''
as $$
declare
  v_problem text;
  v_link text;
begin
  perform private.require_readable_theme(new.theme);
  v_problem := private.widget_flows_problem(new.flows);
  if v_problem is not null then
    perform private.refuse(422, 'widget_flows_refused', 'Cannot take the flows: ' || v_problem);
  end if;
  v_problem := private.widget_texts_problem(new.texts);
  if v_problem is not null then
    perform private.refuse(422, 'widget_texts_refused', 'Cannot take the texts: ' || v_problem);
  end if;
  v_problem := private.widget_languages_problem(new.languages);
  if v_problem is not null then
    perform private.refuse(422, 'widget_languages_refused', 'Cannot take the languages: ' || v_problem);
  end if;
  foreach v_link in array array[new.terms_url, new.privacy_url] loop
    if length(v_link) > 500
      or v_link !~ '^https://[a-zA-Z0-9.-]+(:[0-9]{1,5})?(/[^[:space:]"<>\\`]*)?$'
    then
      perform private.refuse(422, 'widget_link_refused',
        format('Cannot link to "%s": https, a host, at most 500 characters', left(v_link, 100)));
    end if;
  end loop;
  return new;
end;
$$;
comment on function private.tg_widget_configs__check() is
  'Raises widget_theme_refused, contrast_too_low, widget_flows_refused, widget_texts_refused, widget_languages_refused, widget_link_refused.';

create trigger _100_check before insert or update on public.widget_configs
  for each row execute function private.tg_widget_configs__check();
create trigger _110_touch before update on public.widget_configs
  for each row execute function private.tg_touch();
create trigger _500_record after insert or update or delete on public.widget_configs
  for each row execute function private.tg_record_change('widget_config');
alter table public.widget_configs enable always trigger _500_record;
