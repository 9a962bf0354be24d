/**
 * Writes graphile-worker's own schema as a migration, so that `supabase migration up` alone makes a complete database
 * and the worker runs as a role that owns nothing.
 *
 * Usage: `deno task db:worker-schema`. Writes `supabase/migrations/<version>_graphile_worker.sql` with those of the
 * library's SQL files that no earlier `_graphile_worker` migration holds; says so when there are none.
 */
import { dirname, join } from "node:path";
import { migrations as migrationsFolder, root } from "./paths.ts";
import { wrapTransaction } from "./transaction.ts";

const library = join(root, "node_modules/graphile-worker");
const marker = /^-- graphile-worker's (\d{6}\.sql)$/gm;

/** The library's files by name, in order, with the schema's name filled in. */
export function librarySql(): Map<string, string> {
  const folder = join(library, "sql");
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  return new Map(names.map((name) => [
    name,
    Deno.readTextFileSync(join(folder, name))
      .replaceAll(/:GRAPHILE_WORKER_SCHEMA\b/g, "graphile_worker").trimEnd(),
  ]));
}

/** Names of the library's files that the migrations in `folder` already hold. */
export function migratedFiles(folder = migrationsFolder): Set<string> {
  const found = new Set<string>();
  for (const path of workerMigrations(folder)) {
    for (const match of Deno.readTextFileSync(path).matchAll(marker)) found.add(match[1]!);
  }
  return found;
}

/** The `_graphile_worker` migrations, oldest first: the declared database loads them too. */
export function workerMigrations(folder = migrationsFolder): string[] {
  return [...Deno.readDirSync(folder)]
    .filter((entry) => /^\d{14}_graphile_worker\.sql$/.test(entry.name))
    .map((entry) => join(folder, entry.name)).sort();
}

/** The text of a migration that brings a database with the files of `done` up to the installed library. */
export function workerMigration(done: Set<string>): string | undefined {
  const missing = [...librarySql()].filter(([name]) => !done.has(name));
  if (missing.length === 0) return undefined;
  const version = JSON.parse(Deno.readTextFileSync(join(library, "package.json"))).version;
  return wrapTransaction(
    `The queue's own schema, copied from graphile-worker ${version} by scripts/db/worker_schema.ts: do not edit.`,
    [
      ...(done.size === 0 ? [bootstrap] : []),
      ...missing.map(([name, text]) => fileBlock(name, text)),
      searchPath,
    ].join("\n\n"),
  );
}

const bootstrap = `\
create schema graphile_worker;

-- the library reads this table to see that nothing is left to migrate
create table graphile_worker.migrations (
  id int primary key,
  ts timestamptz default now() not null,
  breaking boolean not null default false
);`;

const searchPath = `\
-- Supabase's advisors ask for it, and the library writes every name with its schema
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_catalog.pg_proc p
    where p.pronamespace = 'graphile_worker'::regnamespace and p.prokind = 'f'
  loop
    execute pg_catalog.format('alter function %s set search_path = ''''', v_function);
  end loop;
end;
$$;`;

function fileBlock(name: string, text: string): string {
  const breaking = text.startsWith("--! breaking-change");
  return `-- graphile-worker's ${name}
insert into graphile_worker.migrations (id, breaking) values (${parseInt(name)}, ${breaking});
${text}`;
}

/** A migration's version is the moment it was made, as the Supabase CLI writes it. */
export function newVersion(now: Date): string {
  return now.toISOString().replaceAll(/\D/g, "").slice(0, 14);
}

if (import.meta.main) {
  const text = workerMigration(migratedFiles());
  if (text === undefined) {
    console.error("Every SQL file of the installed graphile-worker is in supabase/migrations");
  } else {
    const path = join(migrationsFolder, `${newVersion(new Date())}_graphile_worker.sql`);
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, text);
    console.log(path);
  }
}
