// The rules of the house hold for what the migrations make, on both kinds of Postgres, and each rule finds its offender.
import assert from "node:assert/strict";
import type { Sql } from "postgres";
import { lintCatalog, type Offence } from "../../scripts/db/lint.ts";
import { lintText } from "../../scripts/db/lint_text.ts";
import { catalogRules, exceptions } from "../../scripts/db/lint_rules.ts";
import { declaredFiles } from "../../scripts/db/declared.ts";
import { createDatabase } from "../support/database.ts";
import { fixtures } from "../support/postgres.ts";

for (const fixture of fixtures) {
  Deno.test(`nothing in the catalog offends the rules (${fixture})`, async () => {
    await using database = await createDatabase({ fixture });
    assert.deepEqual(await lintCatalog(database.sql), []);
  });
}

Deno.test("nothing in the text of sql/ and policies/ offends the rules", () => {
  const offences = declaredFiles().flatMap((path) => lintText(path, Deno.readTextFileSync(path)));
  assert.deepEqual(offences, []);
});

/** Rule → statements that break it, and who is named. */
const planted: Record<string, [statements: string, offender: RegExp]> = {
  "a function sets search_path = ''": [
    "create function private.planted() returns int language sql immutable as 'select 1'",
    /private\.planted\(\)/,
  ],
  "a function has a comment": [
    "create function private.planted() returns int language sql immutable set search_path = '' as 'select 1'",
    /private\.planted\(\)/,
  ],
  "a function that writes nothing is not volatile": [
    "create function private.planted() returns int language sql set search_path = '' as 'select 1'",
    /private\.planted\(\)/,
  ],
  "a function that writes says volatile": [
    `create function private.planted() returns void language plpgsql stable set search_path = ''
      as 'begin delete from public.tenants; end'`,
    /private\.planted\(\)/,
  ],
  "a definer's comment says why it is one": [
    `comment on function private.tenants_with(text) is 'The tenants.'`,
    /private\.tenants_with\(text\)/,
  ],
  "a trigger function is named tg_*": [
    "create function private.planted() returns trigger language plpgsql set search_path = '' as 'begin return null; end'",
    /private\.planted\(\)/,
  ],
  "a table has a comment": ["create table private.planted (id int)", /private\.planted/],
  "a column of state has a comment": ["comment on column public.apps.state is null", /apps\.state/],
  "a table of public has row level security": ["create table public.planted (id int)", /planted/],
  "a policy is named <table>_<command>_<who>": [
    "alter policy apps_select_reader on public.apps rename to readers",
    /apps: readers/,
  ],
  "a policy names roles": [
    "create policy apps_select_all on public.apps for select using (true)",
    /apps: apps_select_all/,
  ],
  "an update policy checks the new row too": [
    "create policy apps_update_careless on public.apps for update to authenticated using (true)",
    /apps: apps_update_careless/,
  ],
  "a table with sealed rows is walked when the key changes": [
    "create table private.planted (id uuid, key_id text, ciphertext bytea)",
    /private\.planted/,
  ],
  "a primary or unique key starts with tenant_id": [
    "create table public.planted (tenant_id uuid, id uuid primary key)",
    /planted: planted_pkey/,
  ],
  "a foreign key carries tenant_id": [
    "create table public.planted (tenant_id uuid, user_id uuid references public.users)",
    /planted: planted_user_id_fkey/,
  ],
  "a foreign key has an index": [
    "create table public.planted (tenant_id uuid references public.tenants)",
    /planted: planted_tenant_id_fkey/,
  ],
  "a governed table records its changes, always": [
    "alter table public.apps enable trigger _500_record",
    /apps/,
  ],
  "a trigger from _500 on is enabled always": [
    "alter table public.apps enable trigger _900_reprovision",
    /apps: _900_reprovision/,
  ],
  "a trigger's name begins with its order": [
    "alter trigger _500_record on public.apps rename to record",
    /apps: record/,
  ],
  "nothing is granted to public, anon or service_role": [
    `grant select (name) on public.tenants to anon; grant execute on function private.new_id() to public;
     grant usage on schema graphile_worker to service_role`,
    /column .*tenants\.name: SELECT to anon/,
  ],
  "insert and update are granted by column": [
    "grant insert on public.apps to authenticated",
    /apps: INSERT to authenticated/,
  ],
  "nobody but the owner may truncate, reference or set triggers": [
    "grant truncate on public.apps to authenticated",
    /apps: TRUNCATE to authenticated/,
  ],
  "no HTTP role holds a table of private or of the queue": [
    "grant select on private.webhook_secrets to authenticated",
    /webhook_secrets: SELECT to authenticated/,
  ],
  "a moment is a timestamptz and ends in _at, _until or _after": [
    "alter table public.apps add seen timestamptz",
    /apps\.seen/,
  ],
  "an advisory lock has a line in sql/locks.md": [
    `create function private.planted() returns void language plpgsql set search_path = ''
      as 'begin perform pg_advisory_xact_lock(779, 7); end'`,
    /779, 7 private\.planted/,
  ],
  "a line of sql/locks.md names a lock that is taken": [
    "drop function private.seal_events(integer)",
    /779, 7 private\.seal_events/,
  ],
  "a security definer has a line in policies/definers.md": [
    "alter function private.new_id() security definer",
    /private\.new_id\(\)/,
  ],
  "a line of policies/definers.md names a security definer": [
    "alter function private.get_setting(text) security invoker",
    /private\.get_setting\(text\)/,
  ],
};

Deno.test("every rule of the catalog has a planted offender", () => {
  for (const rule of Object.keys(catalogRules)) {
    assert.ok(rule in planted, `no offender is planted for: ${rule}`);
  }
});

Deno.test("every rule names its planted offender", async (t) => {
  await using database = await createDatabase();
  for (const [rule, [statements, offender]] of Object.entries(planted)) {
    await t.step(rule, async () => {
      const found = await lintWith(database.sql, statements);
      assert.ok(
        found.some((one) => one.rule === rule && offender.test(one.offender)),
        `found only ${JSON.stringify(found)}`,
      );
    });
  }
});

Deno.test("every argued exception is of something that is there", async () => {
  await using database = await createDatabase();
  const there = new Set((await database.sql.unsafe(exceptions.query)).map(({ name }) => name));
  assert.deepEqual(exceptions.names.filter((name) => !there.has(name)), []);
});

Deno.test("SQL in capitals, over 100 columns or with trailing space is named by file and line", () => {
  const text = [
    "select 1; -- a comment in CAPITALS: SELECT, and however long it may be it is not code and so it is not counted here",
    "SELECT 1;",
    `select '${"x".repeat(100)}' as too_long;`,
    "select 'SELECT'; ",
    "comment on table public.apps is 'A text to its reader may run on as far as it likes, it is no code and breaks no rule.';",
  ].join("\n");
  assert.deepEqual(
    lintText("planted.sql", text).map(({ rule, offender }) =>
      `${offender.split(":").at(-1)} ${rule}`
    ),
    [
      "2 SQL is written in lower case",
      "3 a line of SQL has 100 columns at most",
      "4 a line has no tab and no space at its end",
    ],
  );
});

const rollback = Symbol("rollback");

async function lintWith(sql: Sql, statements: string): Promise<Offence[]> {
  let found: Offence[] = [];
  await sql.begin(async (tx) => {
    await tx.unsafe(statements);
    found = await lintCatalog(tx);
    throw rollback;
  }).catch((error) => {
    if (error !== rollback) throw error;
  });
  return found;
}
