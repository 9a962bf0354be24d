-- widget_scripts: versions of the widget's script that somebody was told to pin by its hash (subresource integrity). A page that pins one
-- runs these bytes or none, so an upgrade must not take them away. Kept when a snippet is handed out: functions/widget/snippet.ts.
create table private.widget_scripts (
  hash text primary key check (hash = left(
    translate(encode(sha256(bytes), 'base64'), '+/', '-_'), 16)),
  bytes bytea not null check (octet_length(bytes) <= 500000),
  kept_at timestamptz not null default now()
);
comment on table private.widget_scripts is
  'Versions of the widget''s script that pages may have pinned. An operator who deletes one switches it off on every page that pins it.';
comment on column private.widget_scripts.hash is 'The first 16 characters of their SHA-256 in base64url: `h` in the script''s address.';

create function private.keep_widget_script(p_hash text, p_bytes bytea) returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  insert into private.widget_scripts (hash, bytes) values (p_hash, p_bytes)
  on conflict (hash) do nothing;
end;
$$;
comment on function private.keep_widget_script(text, bytea) is 'Keeps a version of the script that is about to be pinned. Definer: the table is private.';

create function private.widget_script(p_hash text) returns bytea
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (select s.bytes from private.widget_scripts s where s.hash = p_hash);
end;
$$;
comment on function private.widget_script(text) is 'A kept version of the script; null when there is none. Definer: the table is private.';
