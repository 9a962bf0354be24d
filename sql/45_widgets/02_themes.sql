-- What a theme may say, and whether it can be read. A theme is {light: {token: colour}, dark: {…}, radius: 10, font: "system"}; what it
-- does not say is the widget's own, widget/src/login/style.ts. Values are colours, a number and a name: nothing of it can leave the page.
-- Next: 10_widget_configs.sql (who keeps a theme), functions/widget/look.ts (who reads it).

create function private.widget_colours() returns table (token text, light text, dark text)
language sql immutable parallel safe set search_path = ''
as $$
  values
    ('accent', '#17594a', '#7cd9bf'),
    ('on-accent', '#ffffff', '#06231c'),
    ('text', '#17201d', '#eef3f0'),
    ('muted', '#56635e', '#a9b8b1'),
    ('field', '#ffffff', '#0f1513'),
    ('border', '#84918c', '#6b7a74'),
    ('danger', '#a3211b', '#ffb4ab'),
    ('danger-ground', '#fdf0ef', '#3a1715'),
    ('ground', '#ffffff', '#161d1a'),
    ('backdrop', '#f3f4f0', '#0c110f')
$$;
comment on function private.widget_colours() is
  'The colours that a theme may set, without --gatehouse-, and the widget''s own values. ground: what the form stands on. backdrop: the page around it.';

create function private.widget_fonts() returns table (font text, families text)
language sql immutable parallel safe set search_path = ''
as $$
  values
    ('system',
      'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", sans-serif'),
    ('humanist',
      '"Seravek", "Gill Sans Nova", Ubuntu, Calibri, "DejaVu Sans", "Noto Sans", sans-serif'),
    ('geometric',
      '"Avenir Next", Avenir, Montserrat, Corbel, "URW Gothic", "Noto Sans", sans-serif'),
    ('rounded',
      'ui-rounded, "Arial Rounded MT Bold", Quicksand, Comfortaa, "Noto Sans", sans-serif'),
    ('grotesque', '"Helvetica Neue", Helvetica, Arial, "Liberation Sans", "Noto Sans", sans-serif'),
    ('serif', 'Charter, "Bitstream Charter", "Sitka Text", Cambria, "Noto Serif", serif'),
    ('mono',
      'ui-monospace, "Cascadia Code", "Source Code Pro", Menlo, Consolas, "DejaVu Sans Mono", monospace')
$$;
comment on function private.widget_fonts() is 'Stacks of families that stand on people''s machines. None is loaded.';

create function private.widget_pairs() returns table (front text, ground text, needed numeric)
language sql immutable parallel safe set search_path = ''
as $$
  values
    ('text', 'ground', 4.5),
    ('text', 'field', 4.5),
    ('muted', 'ground', 4.5),
    ('muted', 'field', 4.5),
    ('muted', 'backdrop', 4.5),
    ('accent', 'ground', 4.5), -- links; more than the 3 of the ring of focus
    ('accent', 'tint', 4.5),
    ('on-accent', 'accent', 4.5),
    ('danger', 'ground', 4.5),
    ('danger', 'danger-ground', 4.5),
    -- what is no text
    ('border', 'ground', 3.0),
    ('border', 'field', 3.0)
$$;
comment on function private.widget_pairs() is
  'Which colour the widget shows on which, and the ratio that WCAG 2.2 AA asks for: 4.5 for text (1.4.3), 3 for edges (1.4.11). tint is no token: 9 % of the accent over the ground, under badges.';

create function private.relative_luminance(p_colour text) returns double precision
language plpgsql immutable strict parallel safe set search_path = ''
as $$
declare
  v_bytes bytea := decode(substr(p_colour, 2), 'hex');
  v_weights double precision[] := '{0.2126, 0.7152, 0.0722}';
  v_channel double precision;
  v_sum double precision := 0;
begin
  for i in 0..2 loop
    v_channel := get_byte(v_bytes, i) / 255.0::double precision;
    v_sum := v_sum + v_weights[i + 1] * case when v_channel <= 0.04045
      then v_channel / 12.92 else ((v_channel + 0.055) / 1.055) ^ 2.4 end;
  end loop;
  return v_sum;
end;
$$;
comment on function private.relative_luminance(text) is 'Of #rrggbb, 0 to 1, as WCAG 2.2 defines it.';

create function private.contrast_ratio(p_one text, p_other text) returns double precision
language plpgsql immutable strict parallel safe set search_path = ''
as $$
declare
  v_one double precision := private.relative_luminance(p_one) + 0.05;
  v_other double precision := private.relative_luminance(p_other) + 0.05;
begin
  return greatest(v_one, v_other) / least(v_one, v_other);
end;
$$;
comment on function private.contrast_ratio(text, text) is 'Of two colours #rrggbb, 1 to 21, as WCAG 2.2 defines it. Not rounded: 4.499 is not 4.5.';

create function private.widget_colour(p_theme jsonb, p_scheme text, p_token text) returns text
language plpgsql immutable set search_path = ''
as $$
declare
  v_accent bytea;
  v_ground bytea;
  v_tint text := '#';
begin
  if p_token <> 'tint' then
    return coalesce(p_theme #>> array[p_scheme, p_token], (
      select case p_scheme when 'light' then c.light else c.dark end
        from private.widget_colours() c where c.token = p_token));
  end if;
  v_accent := decode(substr(private.widget_colour(p_theme, p_scheme, 'accent'), 2), 'hex');
  v_ground := decode(substr(private.widget_colour(p_theme, p_scheme, 'ground'), 2), 'hex');
  for i in 0..2 loop
    v_tint := v_tint || lpad(to_hex(round(
      0.09 * get_byte(v_accent, i) + 0.91 * get_byte(v_ground, i))::integer), 2, '0');
  end loop;
  return v_tint;
end;
$$;
comment on function private.widget_colour(jsonb, text, text) is 'What a theme shows for a token in a scheme, light or dark: its own value, else the widget''s.';

create function private.widget_theme_problem(p_theme jsonb) returns text
language plpgsql immutable set search_path = ''
as $$
declare
  v_key text;
  v_value jsonb;
  v_token text;
  v_colour jsonb;
begin
  if jsonb_typeof(p_theme) is distinct from 'object' then
    return 'a theme is an object';
  end if;
  for v_key, v_value in select * from jsonb_each(p_theme) loop
    if v_key in ('light', 'dark') then
      if jsonb_typeof(v_value) <> 'object' then
        return format('"%s" is an object of colours', v_key);
      end if;
      for v_token, v_colour in select * from jsonb_each(v_value) loop
        if not exists (select from private.widget_colours() c where c.token = v_token) then
          return format('"%s" is no token; allowed are %s', left(v_token, 50),
            (select string_agg(c.token, ', ') from private.widget_colours() c));
        elsif jsonb_typeof(v_colour) <> 'string' or v_colour #>> '{}' !~ '^#[0-9a-fA-F]{6}$' then
          return format('%s "%s" is %s; a colour is #rrggbb',
            v_key, v_token, left(v_colour::text, 50));
        end if;
      end loop;
    elsif v_key = 'radius' then
      if jsonb_typeof(v_value) <> 'number' or v_value::text !~ '^([0-9]|[12][0-9]|3[0-2])$' then
        return '"radius" is a whole number of pixels, 0 to 32';
      end if;
    elsif v_key = 'font' then
      if not exists (select from private.widget_fonts() f where to_jsonb(f.font) = v_value) then
        return format('"font" is one of %s',
          (select string_agg(f.font, ', ') from private.widget_fonts() f));
      end if;
    else
      return format('"%s" is nothing of a theme; allowed are light, dark, radius, font',
        left(v_key, 50));
    end if;
  end loop;
  return null;
end;
$$;
comment on function private.widget_theme_problem(jsonb) is 'What of a theme is not allowed; null when nothing. Whether it can be read is check_widget_theme''s to say.';

create function private.widget_tokens(p_theme jsonb) returns jsonb
language sql immutable set search_path = ''
as $$
  select coalesce(jsonb_object_agg(t.token, t.value), '{}')
    from (
      select c.token, format('light-dark(%s, %s)',
          lower(coalesce(p_theme #>> array['light', c.token], c.light)),
          lower(coalesce(p_theme #>> array['dark', c.token], c.dark))) as value
        from private.widget_colours() c
       where p_theme -> 'light' ? c.token or p_theme -> 'dark' ? c.token
      union all
      select 'radius', (p_theme ->> 'radius') || 'px' where p_theme ? 'radius'
      union all
      select 'font', f.families from private.widget_fonts() f where f.font = p_theme ->> 'font'
    ) t
$$;
comment on function private.widget_tokens(jsonb) is
  'A theme as values of custom properties, names without --gatehouse-: only what it sets. A colour of one scheme keeps the widget''s own in the other.';

create function public.check_widget_theme(theme jsonb)
returns table (scheme text, front text, ground text, ratio numeric, needed numeric, passes boolean)
language plpgsql immutable set search_path = ''
as $$
declare
  v_problem text := private.widget_theme_problem(check_widget_theme.theme);
begin
  if v_problem is not null then
    perform private.refuse(422, 'widget_theme_refused', 'Cannot take the theme: ' || v_problem);
  end if;
  return query
    select s.scheme, p.front, p.ground, trunc(r.ratio::numeric, 2), p.needed, r.ratio >= p.needed
      from (values ('light'), ('dark')) as s (scheme)
      cross join private.widget_pairs() p
      cross join lateral (select private.contrast_ratio(
        private.widget_colour(check_widget_theme.theme, s.scheme, p.front),
        private.widget_colour(check_widget_theme.theme, s.scheme, p.ground))) as r (ratio);
end;
$$;
comment on function public.check_widget_theme(jsonb) is
  'Every pair of colours that the widget shows on each other, with its contrast (cut off after two digits) and what WCAG 2.2 AA asks for; what the theme does not set is the widget''s own. '
  'The check that saving makes, for a builder to show while somebody chooses. Errors: 422 widget_theme_refused.';

create function private.require_readable_theme(p_theme jsonb) returns void
language plpgsql immutable set search_path = ''
as $$
declare
  v_failing text := (
    select string_agg(
        format('"%s" on "%s" (%s) has %s : 1 and needs %s',
          c.front, c.ground, c.scheme, c.ratio, c.needed),
        '; ' order by c.needed - c.ratio desc, c.scheme, c.front, c.ground)
      from public.check_widget_theme(p_theme) c where not c.passes);
begin
  if v_failing is not null then
    perform private.refuse(422, 'contrast_too_low', 'Contrast is too low for WCAG 2.2 AA: ' || v_failing);
  end if;
end;
$$;
comment on function private.require_readable_theme(jsonb) is 'Raises widget_theme_refused, or contrast_too_low with every pair that fails, the worst first.';
