-- widget_logos: pictures that a tenant's sign-in shows, by the hash of their bytes. Served to everybody at GET /functions/v1/widget/logo/<hash>.
-- What kind it is, the bytes say, not the caller. A row never changes; a logo that a published version shows cannot be removed.
create table public.widget_logos (
  tenant_id uuid not null references public.tenants on delete cascade,
  hash text not null,
  type text not null check (type in ('image/svg+xml', 'image/png', 'image/webp')),
  bytes bytea not null,
  size_bytes integer not null generated always as (octet_length(bytes)) stored,
  created_at timestamptz not null default now(),
  primary key (tenant_id, hash)
);
comment on table public.widget_logos is 'A picture of a tenant''s, SVG, PNG or WebP.';
comment on column public.widget_logos.hash is 'SHA-256 of the bytes in hex.';
comment on column public.widget_logos.bytes is 'At most 100 kB, an SVG 30 kB. At PostgREST: "\x" and hex.';
create index widget_logos_hash_idx on public.widget_logos (hash); -- for who is not signed in yet

create function private.png_problem(p_bytes bytea) returns text
language plpgsql immutable set search_path = ''
as $$
begin
  -- signature, then IHDR with width and height (PNG 3rd edition, 5.2 and 11.2.1)
  if octet_length(p_bytes) < 33 or substring(p_bytes from 13 for 4) <> '\x49484452' then
    return 'it is cut off';
  elsif substring(p_bytes from 17 for 2) <> '\x0000' or substring(p_bytes from 21 for 2) <> '\x0000'
    or greatest(get_byte(p_bytes, 18), get_byte(p_bytes, 22)) >= 8
  then
    return 'it is wider or higher than 2047 pixels';
  end if;
  return null;
end;
$$;
comment on function private.png_problem(bytea) is 'Why the bytes, which begin like a PNG, are no logo; null when they may be one. A small file can be a picture of gigabytes.';

create function private.webp_problem(p_bytes bytea) returns text
language plpgsql immutable set search_path = ''
as $$
declare
  v_chunk text := encode(substring(p_bytes from 13 for 4), 'escape');
  v_width integer;
  v_height integer;
begin
  if octet_length(p_bytes) < 31 then return 'it is cut off'; end if;
  -- the first chunk: lossy, lossless, or with features (RFC 9649, 2.5 to 2.7)
  case v_chunk
    when 'VP8 ' then
      v_width := (get_byte(p_bytes, 27) & 63) * 256 + get_byte(p_bytes, 26);
      v_height := (get_byte(p_bytes, 29) & 63) * 256 + get_byte(p_bytes, 28);
    when 'VP8L' then
      v_width := 1 + ((get_byte(p_bytes, 22) & 63) * 256 + get_byte(p_bytes, 21));
      v_height := 1 + ((get_byte(p_bytes, 24) & 15) * 1024 + get_byte(p_bytes, 23) * 4
        + (get_byte(p_bytes, 22) >> 6));
    when 'VP8X' then
      v_width := 1 + get_byte(p_bytes, 26) * 65536 + get_byte(p_bytes, 25) * 256
        + get_byte(p_bytes, 24);
      v_height := 1 + get_byte(p_bytes, 29) * 65536 + get_byte(p_bytes, 28) * 256
        + get_byte(p_bytes, 27);
    else return 'its first part is none of VP8, VP8L and VP8X';
  end case;
  return case when greatest(v_width, v_height) > 2047
    then 'it is wider or higher than 2047 pixels' end;
end;
$$;
comment on function private.webp_problem(bytea) is 'Why the bytes, which begin like a WebP, are no logo; null when they may be one.';

create function private.tg_widget_logos__check() returns trigger
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_problem text;
begin
  if octet_length(new.bytes) > 100000 then
    v_problem := format('it has %s bytes; at most 100000', octet_length(new.bytes));
  elsif substring(new.bytes from 1 for 8) = '\x89504e470d0a1a0a' then
    new.type := 'image/png';
    v_problem := private.png_problem(new.bytes);
  elsif substring(new.bytes from 1 for 4) = 'RIFF'
    and substring(new.bytes from 9 for 4) = 'WEBP'
  then
    new.type := 'image/webp';
    v_problem := private.webp_problem(new.bytes);
  elsif octet_length(new.bytes) > 30000 then
    v_problem := 'an SVG has at most 30000 bytes';
  else
    new.type := 'image/svg+xml';
    begin
      v_problem := private.svg_problem(convert_from(new.bytes, 'UTF8'));
    exception
      when data_exception or character_not_in_repertoire then
        v_problem := 'it is no PNG, no WebP, and no SVG in UTF-8';
    end;
  end if;
  if v_problem is not null then
    perform private.refuse(422, 'widget_logo_refused', 'Cannot take the logo: ' || v_problem);
  end if;
  new.hash := encode(sha256(new.bytes), 'hex');
  perform pg_advisory_xact_lock(783, hashtext(new.tenant_id::text));
  if (select count(*) from public.widget_logos l where l.tenant_id = new.tenant_id) >= 50 then
    perform private.refuse(409, 'widget_logos_too_many', 'A tenant keeps at most 50 logos: remove one first');
  end if;
  return new;
end;
$$;
comment on function private.tg_widget_logos__check() is
  'Fills in type and hash by the bytes; raises widget_logo_refused, widget_logos_too_many. Definer: it counts rows that the caller need not see.';

create trigger _100_check before insert on public.widget_logos
  for each row execute function private.tg_widget_logos__check();
create trigger _500_record after insert or update or delete on public.widget_logos
  for each row execute function private.tg_record_change('widget_logo', 'bytes');
alter table public.widget_logos enable always trigger _500_record;
