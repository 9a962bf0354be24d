-- Ids are UUID version 7 (RFC 9562, section 5.7): they sort by the millisecond they were made in.

create function private.uuid_v7() returns uuid
language plpgsql volatile parallel safe set search_path = ''
as $$
begin
  return encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6),
      52, 1), 53, 1), 'hex')::uuid;
end;
$$;
comment on function private.uuid_v7() is
  'A new UUID version 7: 48 bits of Unix milliseconds, then random bits. RFC 9562, section 5.7. In plpgsql, as every function that runs once a row: one in SQL plans itself anew at each call.';

create function private.platform_tenant() returns uuid
language sql immutable parallel safe set search_path = ''
as $$ select '00000000-0000-7000-8000-000000000000'::uuid $$;
comment on function private.platform_tenant() is 'The id of the one reserved tenant that owns what belongs to the platform itself.';

create function private.as_uuid(p_text text) returns uuid
language plpgsql immutable parallel safe set search_path = ''
as $$
begin
  return case when p_text ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then p_text::uuid end;
end;
$$;
comment on function private.as_uuid(text) is 'The id that a text is; null when it is none.';
