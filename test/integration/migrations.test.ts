// scripts/migrate.ts on migrations of the test's own: order, one transaction each, the history it keeps, what it refuses.
import assert from "node:assert/strict";
import { join } from "node:path";
import { migrate } from "../../scripts/migrate.ts";
import { runSupabase } from "../../scripts/db/supabase_cli.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { root } from "../support/paths.ts";

const files: Record<string, string> = {
  "20260101000000_books.sql": `-- books; and their titles
create table public.books (id int primary key, title text default 'a;b'); -- trailing
comment on table public.books is 'It''s read; often';
create function public.count_books() returns bigint language plpgsql stable set search_path = '' as $$
begin
  return (select count(*) from public.books); -- inside; a body
end;
$$;
`,
  "20260102000000_authors.sql": `/* one; two */
create table public.authors (id int primary key, "the;name" text);
do $body$ begin perform E'it\\'s; quoted'; end $body$`,
  "20260103000000_links.sql":
    "-- links\nbegin;\nlock table public.books;\nalter table public.books add author_id int references public.authors;\n-- the end\ncommit;\n",
};
const versions = Object.keys(files).map((name) => name.slice(0, 14));

Deno.test("every migration is applied once, in order, and recorded", async () => {
  await using project = makeProject(files);
  await using database = await createDatabase({ empty: true });
  const seen: string[] = [];
  const progress = (done: number, total: number, name: string) =>
    seen.push(`${done}/${total} ${name}`);

  const applied = await migrate({ url: ownerUrl(database), folder: project.folder, progress });
  assert.deepEqual(applied.map(({ version }) => version), versions);
  assert.deepEqual(seen, [...Object.keys(files).map((name, i) => `${i}/3 ${name}`), "3/3 "]);
  assert.deepEqual(await migrate({ url: ownerUrl(database), folder: project.folder }), []);
  assert.deepEqual((await history(database)).map(({ name }) => name), [
    "books",
    "authors",
    "links",
  ]);
});

Deno.test("the Supabase CLI and migrate.ts write the same history", async () => {
  await using project = makeProject(files);
  await using ours = await createDatabase({ empty: true });
  await using theirs = await createDatabase({ empty: true });
  await migrate({ url: ownerUrl(ours), folder: project.folder });
  await cliUp(theirs, project.workdir);
  assert.deepEqual(await history(ours), await history(theirs));
});

Deno.test("what the Supabase CLI began, migrate.ts finishes, and the other way round", async () => {
  await using whole = makeProject(files);
  await using first = makeProject(only(1));
  await using second = makeProject(only(2));
  await using database = await createDatabase({ empty: true });
  await cliUp(database, first.workdir);
  await migrate({ url: ownerUrl(database), folder: second.folder });
  await cliUp(database, whole.workdir);
  assert.deepEqual(await migrate({ url: ownerUrl(database), folder: whole.folder }), []);
  assert.deepEqual((await history(database)).map(({ version }) => version), versions);
});

Deno.test("a migration that fails leaves nothing behind, and those before it stay", async () => {
  await using project = makeProject({
    ...only(1),
    "20260104000000_broken.sql":
      "create table public.half (id int);\n\ncreate table public.books (id int);\n",
    "20260105000000_never.sql": "create table public.never (id int);",
  });
  await using database = await createDatabase({ empty: true });
  await assert.rejects(
    migrate({ url: ownerUrl(database), folder: project.folder }),
    (error: Error) => {
      assert.equal(error.name, "Failure");
      assert.match(error.message, /20260104000000_broken\.sql: .*\(42P07\)/);
      return true;
    },
  );
  assert.deepEqual(await tables(database), ["books"]);
  assert.deepEqual((await history(database)).map(({ version }) => version), [versions[0]]);
});

Deno.test("a fault is named by its file and line", async () => {
  await using project = makeProject({
    "20260104000000_broken.sql": "begin;\n\nselect nothing_here;\ncommit;\n",
  });
  await using database = await createDatabase({ empty: true });
  await assert.rejects(
    migrate({ url: ownerUrl(database), folder: project.folder }),
    { message: /20260104000000_broken\.sql:3: / },
  );
});

Deno.test("two migrators at once apply each migration once", async () => {
  await using project = makeProject({
    "20251231000000_slow.sql": "select pg_sleep(0.2);",
    ...files,
  });
  await using database = await createDatabase({ empty: true });
  const run = () => migrate({ url: ownerUrl(database), folder: project.folder });
  const applied = (await Promise.all([run(), run(), run()])).flat();
  assert.equal(applied.length, (await history(database)).length);
});

Deno.test("a migration that was edited after it was applied is refused", async () => {
  await using project = makeProject(files);
  await using database = await createDatabase({ empty: true });
  await migrate({ url: ownerUrl(database), folder: project.folder });
  await using edited = makeProject({
    ...files,
    "20260102000000_authors.sql": "create table public.authors (id bigint);",
  });
  await assert.rejects(
    migrate({ url: ownerUrl(database), folder: edited.folder }),
    { name: "Failure", message: /20260102000000_authors\.sql was applied with another content/ },
  );
});

Deno.test("a database newer than the release is refused", async () => {
  await using project = makeProject(files);
  await using database = await createDatabase({ empty: true });
  await migrate({ url: ownerUrl(database), folder: project.folder });
  await using older = makeProject(only(2));
  await assert.rejects(
    migrate({ url: ownerUrl(database), folder: older.folder }),
    { name: "Failure", message: /newer than this release: it holds 20260103000000_links/ },
  );
});

Deno.test("a migration older than an applied one is refused", async () => {
  await using project = makeProject(files);
  await using database = await createDatabase({ empty: true });
  await migrate({ url: ownerUrl(database), folder: project.folder });
  await using late = makeProject({ ...files, "20260102120000_late.sql": "select 1;" });
  await assert.rejects(
    migrate({ url: ownerUrl(database), folder: late.folder }),
    { name: "Failure", message: /20260102120000_late\.sql is older than 20260103000000/ },
  );
});

Deno.test("PostgREST is told to reload after a change, and only then", async () => {
  await using project = makeProject(files);
  await using database = await createDatabase({ empty: true });
  const heard: string[] = [];
  const { unlisten } = await database.connect().listen("pgrst", (payload) => heard.push(payload));
  const run = async () => {
    await migrate({ url: ownerUrl(database), folder: project.folder });
    await database.sql`select pg_notify('pgrst', 'end of test')`;
    while (heard.at(-1) !== "end of test") await new Promise((resolve) => setTimeout(resolve, 5));
    return heard.splice(0).slice(0, -1).sort();
  };
  assert.deepEqual(await run(), ["reload config", "reload schema"]);
  assert.deepEqual(await run(), []);
  await unlisten();
});

Deno.test("the command prints progress to stderr, what it applied to stdout, and refuses wrong use with 2", async () => {
  await using database = await createDatabase({ empty: true });
  const ran = await runCommand({ GATEHOUSE_MIGRATE_URL: ownerUrl(database) });
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(
    ran.stderr,
    /^\[1\/3\] Read history\n\[2\/3\] Apply migrations {2}0\/\d+ {2}\d{14}_graphile_worker\.sql\n/,
  );
  assert.match(ran.stderr, /\n\[3\/3\] PostgREST told to reload\n$/);
  assert.match(ran.stdout, /^\d{14}_graphile_worker\.sql\n/);
  assert.equal((await runCommand({})).code, 2);
  assert.equal((await runCommand({}, "--nonsense")).code, 2);
  assert.equal((await runCommand({}, "--db-url", "postgres://nobody:x@127.0.0.1:1/none")).code, 1);
});

interface Project extends AsyncDisposable {
  /** As `--workdir` of the Supabase CLI. */
  workdir: string;
  folder: string;
}

function makeProject(migrations: Record<string, string>): Project {
  const workdir = Deno.makeTempDirSync({ prefix: "gatehouse-migrations-" });
  const folder = join(workdir, "supabase/migrations");
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(join(workdir, "supabase/config.toml"), 'project_id = "test"\n');
  for (const [name, text] of Object.entries(migrations)) {
    Deno.writeTextFileSync(join(folder, name), text);
  }
  return {
    workdir,
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(workdir, { recursive: true }),
  };
}

function only(count: number): Record<string, string> {
  return Object.fromEntries(Object.entries(files).slice(0, count));
}

function ownerUrl(database: TestDatabase): string {
  return database.url("gatehouse_migrator");
}

async function cliUp(database: TestDatabase, workdir: string): Promise<void> {
  const ran = await runSupabase(
    ["migration", "up", "--yes", "--remote", ownerUrl(database)],
    workdir,
  );
  assert.equal(ran.code, 0, ran.stderr + ran.stdout);
}

async function history({ sql }: TestDatabase) {
  return [
    ...await sql<{ version: string; name: string; statements: string[] }[]>`
    select version, name, statements from supabase_migrations.schema_migrations order by version`,
  ];
}

async function tables({ sql }: TestDatabase): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`;
  return rows.map(({ name }) => name);
}

async function runCommand(env: Record<string, string>, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--cached-only", join(root, "scripts/migrate.ts"), ...args],
    env,
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
