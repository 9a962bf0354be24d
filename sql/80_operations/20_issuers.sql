-- issuers: whose tokens we take. ZITADEL, and our own for break-glass and the anonymous key.
create table private.issuers (
  issuer text primary key,
  kind text not null check (kind in ('zitadel', 'gatehouse')),
  audience text not null,
  jwks_uri text not null
);
comment on table private.issuers is 'Issuers by their iss.';
comment on column private.issuers.audience is 'What a token''s aud must hold: Gatehouse''s own project id in ZITADEL.';

create function private.put_issuer(
  p_issuer text, p_kind text, p_audience text, p_jwks_uri text
) returns void
language sql volatile security definer set search_path = ''
as $$
  insert into private.issuers as i (issuer, kind, audience, jwks_uri)
  values (p_issuer, p_kind, p_audience, p_jwks_uri)
  on conflict (issuer) do update
    set kind = excluded.kind, audience = excluded.audience, jwks_uri = excluded.jwks_uri
    where (i.kind, i.audience, i.jwks_uri)
      is distinct from (excluded.kind, excluded.audience, excluded.jwks_uri)
$$;
comment on function private.put_issuer(text, text, text, text) is 'Notes an issuer; nothing is written when nothing differs. Definer: issuers are private.';

create function private.list_issuers() returns setof private.issuers
language sql stable security definer set search_path = ''
as $$ select * from private.issuers order by issuer $$;
comment on function private.list_issuers() is 'Every issuer: issuer, kind, audience, jwks_uri. Definer: issuers are private.';
