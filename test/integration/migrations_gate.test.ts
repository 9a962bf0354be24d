// The history arrives at what sql/ and policies/ declare, and the gate that says so sees every kind of difference.
import assert from "node:assert/strict";
import { join } from "node:path";
import { differences } from "../../scripts/db/gate.ts";
import { bothDatabases, difference } from "../../scripts/db/diff.ts";
import { loadDeclared } from "../../scripts/db/declared.ts";
import { declaredDatabase, withSql } from "../../scripts/db/throwaway.ts";
import { wrapTransaction } from "../../scripts/db/transaction.ts";
import { migrate } from "../../scripts/migrate.ts";
import { createDatabase } from "../support/database.ts";

Deno.test("with all migrations applied the database is the declared one, in both directions", async () => {
  const both = await bothDatabases();
  await using migrated = both.migrated;
  await using declared = both.declared;
  assert.deepEqual(await differences(migrated, declared), []);
});

/** Statement → what the gate says of it. Each is a kind of thing that could drift. */
const drifts: Record<string, RegExp> = {
  "alter table public.apps add note text": /ADD COLUMN "note"/,
  "alter table public.tenants alter name drop not null": /"name" DROP NOT NULL/,
  "alter table public.tenants alter plan set default 'gold'": /"plan" SET DEFAULT 'gold'/,
  "alter table public.apps drop constraint app_name_taken": /DROP CONSTRAINT "app_name_taken"/,
  "create index drifted on public.apps (name)": /CREATE INDEX drifted/,
  "alter table public.providers disable row level security":
    /"providers"\s+DISABLE ROW LEVEL SECURITY/,
  "drop policy apps_select_reader on public.apps": /DROP POLICY "apps_select_reader"/,
  "alter policy apps_update_writer on public.apps using (true)":
    /POLICY "apps_update_writer"[^;]*USING \(true\)/,
  "alter policy roles_select_anybody on public.roles to authenticated":
    /POLICY "roles_select_anybody"[^;]*TO "authenticated"/,
  "grant select (data) on public.audit_events to anon":
    /GRANT SELECT \("data"\) ON TABLE "public"."audit_events" TO "anon"/,
  "revoke select on public.event_types from authenticated":
    /REVOKE [^;]*"event_types" FROM "authenticated"/,
  "revoke update (enabled) on public.apps from authenticated":
    /REVOKE [^;]*"apps" FROM "authenticated"/,
  "grant execute on function private.new_id() to anon":
    /GRANT (ALL|EXECUTE) ON FUNCTION "private"."new_id"\(\) TO "anon"/,
  "revoke execute on function public.whoami() from anon": /REVOKE [^;]*"whoami"\(\) FROM "anon"/,
  "grant usage on schema graphile_worker to authenticated":
    /GRANT USAGE ON SCHEMA "graphile_worker" TO "authenticated"/,
  "alter default privileges in schema public grant select on tables to anon":
    /ALTER DEFAULT PRIVILEGES/,
  "comment on column public.apps.state is 'Drifted.'":
    /COMMENT ON COLUMN "public"."apps"."state" IS 'Drifted\.'/,
  "comment on function public.whoami() is 'Drifted.'":
    /COMMENT ON FUNCTION "public"."whoami"\(\) IS 'Drifted\.'/,
  "alter table public.apps enable trigger _500_record": /"apps"\s+ENABLE TRIGGER "_500_record"/,
  "alter table public.assignments disable trigger _100_check": /DISABLE TRIGGER "_100_check"/,
  "drop trigger _900_reprovision on public.apps": /DROP TRIGGER "_900_reprovision"/,
  "alter function private.new_id() stable": /FUNCTION private.new_id\(\)[^;]*STABLE/,
  "alter function private.platform_has(text) security invoker": /FUNCTION private.platform_has/,
  "alter function private.client_may(text) set search_path = public": /FUNCTION private.client_may/,
  "alter table public.users owner to gatehouse_gateway": /"users"\s+OWNER TO "gatehouse_gateway"/,
  "alter role gatehouse_gateway bypassrls": /"gatehouse_gateway" WITH BYPASSRLS/,
  "create schema drifted": /CREATE SCHEMA "drifted"/,
  // what the CLI takes as given, and the gate's own comparison does not
  "grant service_role to gatehouse_functions": /role gatehouse_functions is member of service_role/,
  "alter role anon set statement_timeout = '1h'": /role anon: .*statement_timeout=1h/,
  "alter role authenticated bypassrls": /role authenticated: .*bypassrls t/,
  "insert into public.role_rights values ('tenant_member', 'audit.read')":
    /row of role_rights: .*tenant_member.*audit\.read/,
  "delete from graphile_worker.migrations where id = 20":
    /declarations lack: row of graphile_worker\.migrations: .*"id":20/,
};

Deno.test("the gate sees every kind of drift", async (t) => {
  await using declared = await declaredDatabase();
  await using drifted = await declaredDatabase();
  await withSql(drifted.url, async (sql) => {
    for (const statement of Object.keys(drifts)) await sql.unsafe(statement);
  });
  const found = (await differences(declared, drifted)).join("\n");
  for (const [statement, said] of Object.entries(drifts)) {
    await t.step(statement, () => assert.match(found, said));
  }
});

Deno.test("what db:diff writes, applied as a migration, makes both the same", async () => {
  await using migrated = await declaredDatabase();
  await using declared = await declaredDatabase();
  await withSql(declared.ownerUrl, (sql) =>
    sql.unsafe(`
    create table public.notes (
      tenant_id uuid not null references public.tenants on delete cascade,
      id uuid not null default private.uuid_v7(),
      text text not null check (length(text) > 0),
      primary key (tenant_id, id)
    );
    comment on table public.notes is 'A note.';
    alter table public.notes enable row level security;
    revoke all on public.notes from public, anon, authenticated, service_role;
    grant select, insert (tenant_id, text) on public.notes to authenticated;
    create policy notes_select_reader on public.notes for select to authenticated
      using (tenant_id = any (array(select private.tenants_with('apps.read'))));
    create trigger _500_record after insert or update or delete on public.notes
      for each row execute function private.tg_record_change('note');
    alter table public.notes enable always trigger _500_record;
    create function private.count_notes() returns bigint language sql stable security definer
      set search_path = '' as 'select count(*) from public.notes';
    revoke all on function private.count_notes() from public;
    grant execute on function private.count_notes() to gatehouse_worker;
    alter table public.apps add column note text;
    alter table public.apps drop constraint app_name_taken;
    drop policy providers_update_writer on public.providers;
  `));
  const statements = await difference(migrated, declared);
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-diff-" });
  const file = join(folder, "20991231000000_notes.sql");
  await Deno.writeTextFile(file, wrapTransaction("Written by the test.", statements));
  assert.deepEqual((await migrate({ url: migrated.ownerUrl, folder })).length, 1);
  // the history of these two was never written
  await withSql(migrated.url, (sql) => sql`drop schema supabase_migrations cascade`);
  assert.deepEqual(await differences(migrated, declared), []);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a declared function that names what is not there is refused", async () => {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-declared-" });
  const file = join(folder, "broken.sql");
  await Deno.writeTextFile(
    file,
    `
    create schema private;
    create function private.broken() returns bigint language sql stable set search_path = ''
      as 'select count(*) from public.nowhere';`,
  );
  await using database = await createDatabase({ empty: true });
  await assert.rejects(
    withSql(database.url("gatehouse_migrator"), (sql) => loadDeclared(sql, [file])),
    { name: "Failure", message: /private\.broken\(\).*public\.nowhere/ },
  );
  await Deno.remove(folder, { recursive: true });
});
