-- Whether an SVG is only a picture. Nothing is mended: what is not on the lists is refused and named, so that what is stored is what was drawn.
-- It is shown by `img`, where scripts never run, and served under a policy of its own; this is the third lock, for whoever opens the address itself.

create function private.svg_elements() returns text[]
language sql immutable parallel safe set search_path = ''
as $$
  select string_to_array(
    'svg g defs title desc path rect circle ellipse line polyline polygon text tspan use symbol '
    'linearGradient radialGradient stop clipPath mask', ' ')
$$;
comment on function private.svg_elements() is
  'Shapes, text, gradients, clips. Not style, script, foreignObject, image, a, animate and set, metadata: what runs, loads, links or holds other markup.';

create function private.svg_attributes() returns text[]
language sql immutable parallel safe set search_path = ''
as $$
  select string_to_array(
    'xmlns xmlns:xlink xml:space version id class viewBox preserveAspectRatio role aria-label '
    'aria-hidden focusable x y x1 y1 x2 y2 cx cy r rx ry fx fy d dx dy points width height '
    'transform transform-origin pathLength offset gradientUnits gradientTransform spreadMethod '
    'clipPathUnits maskUnits maskContentUnits href xlink:href style fill fill-rule fill-opacity '
    'stroke stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray '
    'stroke-dashoffset stroke-opacity stop-color stop-opacity opacity clip-path clip-rule mask '
    'color display visibility overflow vector-effect shape-rendering text-rendering '
    'color-interpolation paint-order font-family font-size font-weight font-style letter-spacing '
    'text-anchor dominant-baseline', ' ')
$$;
comment on function private.svg_attributes() is 'No on…: nothing that runs. What may point somewhere is looked at by svg_value_problem.';

create function private.svg_value_problem(p_attribute text, p_value text) returns text
language plpgsql immutable set search_path = ''
as $$
declare
  -- what points into the picture itself
  v_inward constant text := 'url\(\s*["'']?#[a-z0-9_.:-]+["'']?\s*\)';
  v_outward constant text :=
    '(url|image|image-set|src|cross-fade|element|expression)\s*\(|[\\@<>]|javascript|/\*|//';
  v_value text := lower(p_value);
begin
  if p_attribute ~ '^xmlns' then
    return case when v_value not in ('http://www.w3.org/2000/svg', 'http://www.w3.org/1999/xlink')
      then format('the namespace %s is not allowed', left(v_value, 50)) end;
  elsif p_attribute in ('href', 'xlink:href') and v_value !~ '^#[a-z0-9_.:-]+$'
    or p_attribute not in ('aria-label', 'id', 'class')
      and regexp_replace(v_value, v_inward, '', 'g') ~ v_outward
  then
    return format('%s may point into the picture only', p_attribute);
  end if;
  return null;
end;
$$;
comment on function private.svg_value_problem(text, text) is 'What of an attribute''s value is not allowed; null when nothing. A backslash would hide a word from this check.';

create function private.svg_problem(p_svg text) returns text
language plpgsql immutable set search_path = ''
as $$
declare
  v_head constant text := '^\ufeff?\s*(?:<\?xml [^<>?]*\?>)?\s*';
  v_comment constant text := '<!--(?:[^-]|-[^-])*-->';
  -- text has no < and no entity but XML's own; attributes stand in quotes and have no entity, which could hide a word
  v_text constant text := '(?:[^<&]|&(?:amp|lt|gt|quot|apos|#[0-9]{1,6});)';
  v_tag constant text := '</?[A-Za-z]+(?:\s+[A-Za-z][A-Za-z0-9:-]*\s*=\s*'
    '(?:"[^"<&]*"|''[^''<&]*''))*\s*/?>';
  v_tag_parts constant text := '</?([A-Za-z]+)((?:[^>"'']|"[^"]*"|''[^'']*'')*)>';
  v_attribute_parts constant text := '([A-Za-z][A-Za-z0-9:-]*)\s*=\s*(?:"([^"]*)"|''([^'']*)'')';
  v_row text[];
  v_attribute text[];
  v_problem text;
begin
  if p_svg !~ (v_head || '(?:' || v_comment || '\s*)*<svg\s') then
    return 'it does not begin with <svg';
  elsif p_svg !~ (v_head || '(?:' || v_text || '|' || v_tag || '|' || v_comment || ')*$') then
    return 'no doctype, style sheet, instruction, CDATA or entity; every attribute in quotes';
  elsif p_svg !~ '<svg[^>]*\sxmlns\s*=\s*["'']http://www\.w3\.org/2000/svg["'']' then
    return 'its root lacks xmlns="http://www.w3.org/2000/svg"';
  end if;
  for v_row in
    select regexp_matches(regexp_replace(p_svg, v_comment, '', 'g'), v_tag_parts, 'g')
  loop
    if v_row[1] <> all (private.svg_elements()) then
      return format('the element <%s> is not allowed', left(v_row[1], 50));
    end if;
    for v_attribute in select regexp_matches(v_row[2], v_attribute_parts, 'g') loop
      if v_attribute[1] <> all (private.svg_attributes()) then
        return format('the attribute %s is not allowed', left(v_attribute[1], 50));
      end if;
      v_problem := private.svg_value_problem(
        v_attribute[1], coalesce(v_attribute[2], v_attribute[3]));
      if v_problem is not null then
        return v_problem;
      end if;
    end loop;
  end loop;
  return null;
end;
$$;
comment on function private.svg_problem(text) is
  'Why an SVG is more than a picture: what it holds besides shapes, text, gradients, clips and references into itself; null when it is harmless.';
