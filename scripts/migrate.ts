/**
 * Applies supabase/migrations to a database, each in a transaction of its own, and keeps the same history table as
 * `supabase migration up --remote URL`: an operator may use either, and change over.
 *
 * Usage: `deno task migrate [--db-url URL]`; without the flag GATEHOUSE_MIGRATE_URL is read, which keeps the
 * password out of the process list. Progress on stderr; the versions applied, one a line, on stdout.
 * Exit 0 done · 1 failed, and everything before the failed migration stays · 2 wrong use.
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import postgres, { type ISql, type Sql } from "postgres";
import { runFile } from "./db/declared.ts";
import { migrations as migrationsFolder } from "./db/paths.ts";
import { fingerprint, splitStatements } from "./db/statements.ts";
import { Failure } from "./stack/failure.ts";

export interface Migration {
  /** The 14 digits its file name starts with. */
  version: string;
  name: string;
  path: string;
}

interface Recorded {
  version: string;
  name: string | null;
  statements: string[] | null;
}

export interface Options {
  url: string;
  folder?: string;
  /** Told before each migration and once when none is left; `done` of `total`. */
  progress?: (done: number, total: number, name: string) => void;
}

/** One migrator at a time; held from reading the history to the commit. The number is ours alone. */
const lock = 8_237_401_277;

/** The migrations of a folder, oldest first. */
export function listMigrations(folder = migrationsFolder): Migration[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name: file }) => {
    const match = /^(\d{14})_(\w+)\.sql$/.exec(file);
    return match ? [{ version: match[1]!, name: match[2]!, path: `${folder}/${file}` }] : [];
  }).sort((a, b) => a.version < b.version ? -1 : 1);
}

/** Brings the database up to the newest migration. Returns those it applied. Throws a Failure that says what stands in the way. */
export async function migrate({ url, folder, progress }: Options): Promise<Migration[]> {
  const all = listMigrations(folder);
  const sql = postgres(url, {
    max: 1,
    onnotice: () => {},
    connection: { application_name: "migrate" },
  });
  try {
    await prepareHistory(sql);
    const pending = await findPending(sql, all);
    const applied: Migration[] = [];
    for (const [done, migration] of pending.entries()) {
      progress?.(done, pending.length, basename(migration.path));
      if (await apply(sql, all, migration)) applied.push(migration);
    }
    progress?.(pending.length, pending.length, "");
    if (applied.length > 0) {
      await sql`select pg_notify('pgrst', 'reload config'), pg_notify('pgrst', 'reload schema')`;
    }
    return applied;
  } finally {
    await sql.end();
  }
}

/** False when another migrator was quicker. */
async function apply(sql: Sql, all: Migration[], migration: Migration): Promise<boolean> {
  return await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${lock})`;
    if (!(await findPending(tx, all)).includes(migration)) return false;
    await runFile(tx, migration.path);
    await tx`reset all`; // what the file set is not for the next statement
    await tx`
      insert into supabase_migrations.schema_migrations (version, name, statements)
      values (${migration.version}, ${migration.name},
        ${splitStatements(Deno.readTextFileSync(migration.path))})`;
    return true;
  });
}

/** The table as the CLI makes it. */
async function prepareHistory(sql: Sql): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${lock})`;
    const [found] = await tx<{ there: boolean }[]>`
      select to_regclass('supabase_migrations.schema_migrations') is not null as there`;
    if (found?.there) return;
    await tx`create schema if not exists supabase_migrations`;
    await tx`create table supabase_migrations.schema_migrations
      (version text not null primary key, statements text[], name text)`;
  });
}

async function findPending(sql: ISql, all: Migration[]): Promise<Migration[]> {
  const recorded = await sql<Recorded[]>`
    select version, name, statements from supabase_migrations.schema_migrations order by version`;
  const unknown = recorded.filter(({ version }) => !all.some((one) => one.version === version));
  if (unknown.length > 0) {
    throw new Failure(
      `The database is newer than this release: it holds ${unknown.map(title).join(", ")}, ` +
        "which supabase/migrations does not have. Run the release that applied it, or a newer one",
    );
  }
  for (const row of recorded) {
    const { path } = all.find(({ version }) => version === row.version)!;
    const text = Deno.readTextFileSync(path);
    if (row.statements && fingerprint(row.statements) !== fingerprint([text])) {
      throw new Failure(
        `Migration ${basename(path)} was applied with another content: history is not edited. ` +
          "Restore the file, and put the change into a new migration " +
          "(on a machine for development: npm start -- --fresh)",
      );
    }
  }
  const newest = recorded.at(-1)?.version ?? "";
  const pending = all.filter(({ version }) => !recorded.some((row) => row.version === version));
  const late = pending.find(({ version }) => version < newest);
  if (late) {
    throw new Failure(
      `Migration ${
        basename(late.path)
      } is older than ${newest}, which is applied already: give it a newer version`,
    );
  }
  return pending;
}

function title({ version, name }: Recorded): string {
  return name ? `${version}_${name}` : version;
}

async function main(args: string[]): Promise<number> {
  const usage = "Usage: deno task migrate [--db-url URL]   or set GATEHOUSE_MIGRATE_URL";
  let url: string | undefined;
  try {
    const { values } = parseArgs({ args, options: { "db-url": { type: "string" } } });
    url = values["db-url"] ?? Deno.env.get("GATEHOUSE_MIGRATE_URL");
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    return 2;
  }
  if (!url) {
    console.error(usage);
    return 2;
  }
  const say = progressLine();
  try {
    say("[1/3] Read history");
    const applied = await migrate({
      url,
      progress: (done, total, name) => say(`[2/3] Apply migrations  ${done}/${total}`, name),
    });
    say(`[3/3] ${applied.length === 0 ? "Nothing was left to apply" : "PostgREST told to reload"}`);
    say();
    for (const { path } of applied) console.log(basename(path));
    return 0;
  } catch (error) {
    say();
    if (!(error instanceof Failure) && !(error instanceof Error && "code" in error)) throw error;
    console.error(error.message);
    return 1;
  }
}

/** On a terminal one line that is written over; piped, one line a step. */
function progressLine(): (text?: string, detail?: string) => void {
  const terminal = Deno.stderr.isTerminal();
  let open = false;
  return (text, detail = "") => {
    const line = text && `${text}${detail && `  ${detail}`}`;
    if (!terminal) return line && console.error(line);
    const step = line === undefined ? (open ? "\n" : "") : `\r\x1b[K${line}`;
    open = line !== undefined;
    Deno.stderr.writeSync(new TextEncoder().encode(step));
  };
}

if (import.meta.main) Deno.exit(await main(Deno.args));
