// What Supabase's own tools say of the migrated database, and whether their output in the repository is up to date.
import assert from "node:assert/strict";
import { runSupabase, supabase } from "../../scripts/db/supabase_cli.ts";
import { unwrapTransaction } from "../../scripts/db/transaction.ts";
import { generateTypes, typesFile } from "../../scripts/db/types.ts";
import { listMigrations, migrate } from "../../scripts/migrate.ts";
import { createDatabase, owners } from "../support/database.ts";
import { fixtures } from "../support/postgres.ts";

for (const fixture of fixtures) {
  Deno.test(`the advisors have nothing left to warn of (${fixture})`, async () => {
    await using database = await createDatabase({ fixture });
    const remote = database.url(owners[fixture]);
    const ran = await runSupabase([
      "db",
      "advisors",
      "--level",
      "warn",
      "--fail-on",
      "warn",
      "--remote",
      remote,
    ]);
    assert.equal(ran.code, 0, ran.stderr + ran.stdout);
  });

  Deno.test(`the Supabase CLI applies our migrations as no superuser, and migrate.ts finds nothing left (${fixture})`, async () => {
    await using database = await createDatabase({ fixture, empty: true });
    const url = database.url(owners[fixture]);
    await supabase(["migration", "up", "--yes", "--remote", url]);
    assert.deepEqual(await migrate({ url }), []);

    await using ours = await createDatabase({ fixture, empty: true });
    await migrate({ url: ours.url(owners[fixture]) });
    const history = (sql: typeof ours.sql) =>
      sql`
      select version, name, statements from supabase_migrations.schema_migrations order by version`;
    const [theirRows, ourRows] = await Promise.all([history(database.sql), history(ours.sql)]);
    assert.deepEqual([...theirRows], [...ourRows]);
    assert.equal(ourRows.length, listMigrations().length);
  });
}

Deno.test("every migration is one transaction under the Supabase CLI too, which adds none", async () => {
  for (const { path } of listMigrations()) {
    const text = await Deno.readTextFile(path);
    assert.notEqual(
      unwrapTransaction(text),
      text,
      `${path} does not begin with begin; and end with commit;`,
    );
  }
});

Deno.test("supabase/types.ts is up to date (else: deno task db:types)", async () => {
  await using database = await createDatabase();
  assert.equal(await Deno.readTextFile(typesFile), await generateTypes(database.url(owners.plain)));
});
