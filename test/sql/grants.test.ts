// Supabase gives all away by default privileges; what our roles hold in the end must not depend on it.
import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { createDatabase } from "../support/database.ts";

/** Who but the owner holds what, one line each. */
async function grants(sql: Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    with acl as (
      select c.oid::regclass::text as thing, c.relowner as owner, a.* from pg_class c, aclexplode(c.relacl) a
       where c.relnamespace in (select oid from pg_namespace where nspname in ('public', 'private', 'graphile_worker'))
      union all
      select t.attrelid::regclass || '.' || t.attname, c.relowner, a.*
        from pg_attribute t join pg_class c on c.oid = t.attrelid, aclexplode(t.attacl) a
       where c.relnamespace in (select oid from pg_namespace where nspname in ('public', 'private', 'graphile_worker'))
      union all
      select p.oid::regprocedure::text, p.proowner, a.*
        from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
       where p.pronamespace in (select oid from pg_namespace where nspname in ('public', 'private', 'graphile_worker'))
      union all
      select 'schema ' || n.nspname, n.nspowner, a.* from pg_namespace n, aclexplode(n.nspacl) a
       where n.nspname in ('private', 'graphile_worker')
    )
    select distinct thing || ': ' || privilege_type || ' to '
        || case grantee when 0 then 'public' else grantee::regrole::text end as line
      from acl where grantee <> owner order by 1`;
  return rows.map(({ line }) => line);
}

Deno.test("our roles hold the same on Supabase as on plain Postgres", async () => {
  await using plain = await createDatabase({ fixture: "plain" });
  await using supabase = await createDatabase({ fixture: "supabase" });
  const expected = await grants(plain.sql);
  assert.ok(expected.length > 100);
  assert.deepEqual(await grants(supabase.sql), expected);
});

Deno.test("service_role reaches the hook and nothing else", async () => {
  await using database = await createDatabase({ fixture: "supabase" });
  const held = (await grants(database.sql)).filter((line) => line.endsWith(" to service_role"));
  assert.deepEqual(held, [
    "private.authenticate(jsonb,text,text): EXECUTE to service_role",
    "private.check_request(): EXECUTE to service_role",
    "private.request_header(text): EXECUTE to service_role",
    "schema private: USAGE to service_role",
  ]);
});
