-- verification_keys: the public keys of the issuers. PostgREST gets them by db-pre-config and NOTIFY, so a rotation needs no restart (13–49 ms).
-- PostgREST verifies a token with any of them. So that none speaks for another issuer, ours has EC keys (ES256) and ZITADEL RSA keys (RS256):
-- private.authenticate holds a token's alg to its iss.
create table private.verification_keys (
  issuer text not null references private.issuers on delete cascade,
  kid text not null,
  jwk jsonb not null,
  added_at timestamptz not null default now(),
  primary key (issuer, kid)
);
comment on table private.verification_keys is 'Public keys, as JWK (RFC 7517), by issuer and kid.';

create function private.list_verification_keys() returns table (issuer text, kid text, jwk jsonb)
language sql stable security definer set search_path = ''
as $$ select k.issuer, k.kid, k.jwk from private.verification_keys k order by 1, 2 $$;
comment on function private.list_verification_keys() is 'Every public key that a token may be signed with. Definer: the table is private.';

create function private.put_verification_keys(p_issuer text, p_keys jsonb) returns integer
language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_changed integer;
  v_type text := case (select i.kind from private.issuers i where i.issuer = p_issuer)
    when 'gatehouse' then 'EC' else 'RSA' end;
begin
  if coalesce(jsonb_array_length(p_keys), 0) = 0 then
    return 0; -- an empty answer of an issuer deletes nothing
  end if;
  with given as (
    select k ->> 'kid' as kid, k - array['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'] as jwk
      from jsonb_array_elements(p_keys) k
     where k ->> 'kid' is not null and k ->> 'kty' = v_type
       and coalesce(k ->> 'crv', 'P-256') = 'P-256'
       and coalesce(k ->> 'use', 'sig') = 'sig'
  ), gone as (
    delete from private.verification_keys v
     where v.issuer = p_issuer and exists (select from given)
       and v.kid not in (select g.kid from given g)
    returning 1
  ), put as (
    insert into private.verification_keys as v (issuer, kid, jwk)
    select p_issuer, g.kid, g.jwk from given g
    on conflict (issuer, kid) do update set jwk = excluded.jwk where v.jwk <> excluded.jwk
    returning 1
  )
  select (select count(*) from gone) + (select count(*) from put) into v_changed;
  return v_changed;
end;
$$;
comment on function private.put_verification_keys(text, jsonb) is
  'Makes an issuer''s signing keys exactly these: EC P-256 of our own issuer, RSA of any other, the rest is passed over; an empty list changes nothing. Returns how many changed; raises 23503 for an unknown issuer. Private members are dropped. Definer: the table is private.';

create function private.tg_verification_keys__reload() returns trigger
language plpgsql volatile set search_path = ''
as $$
begin
  perform pg_notify('pgrst', 'reload config');
  return null;
end;
$$;
comment on function private.tg_verification_keys__reload() is 'Tells PostgREST that the keys changed.';
create trigger _900_reload after insert or update or delete on private.verification_keys
  for each statement execute function private.tg_verification_keys__reload();

create function private.pgrst_config() returns void
language plpgsql volatile security definer set search_path = ''
as $$
begin
  -- Unknown names are passed over by PostgREST, older and newer: this holds for 12 and for 14 to 16.
  perform set_config('pgrst.jwt_secret', jsonb_build_object('keys',
      coalesce((select jsonb_agg(k.jwk) from private.verification_keys k), '[]'))::text, true),
    set_config('pgrst.db_schemas', 'public', true),
    set_config('pgrst.db_anon_role', 'anon', true),
    set_config('pgrst.db_pre_request', 'private.check_request', true),
    set_config('pgrst.jwt_cache_max_lifetime', '0', true), -- 12.0.2's cache takes removed keys
    set_config('pgrst.jwt_cache_max_entries', '1000', true); -- 14 and later drop it with the keys
end;
$$;
comment on function private.pgrst_config() is 'PostgREST''s db-pre-config: its keys and its hook. Definer: authenticator reads no table.';
