// A database for a test: a copy (about 90 ms) of a template that was migrated once per run.
import postgres, { type Sql } from "postgres";
import { listMigrations, migrate } from "../../scripts/migrate.ts";
import { withSql } from "../../scripts/db/throwaway.ts";
import { checkCatalogue } from "./catalogue.ts";
import { address, clusters, type Fixture } from "./postgres.ts";
import { databaseAsSupabaseGivesIt } from "./supabase_roles.ts";

export interface TestDatabase extends AsyncDisposable {
  name: string;
  /** A pool as the superuser, who sees and may do all: for arranging and for looking. */
  sql: Sql;
  /** The address for a role; all roles that may log in have a password here. Default: the superuser. */
  url(role?: string): string;
  /** A further pool, as a role. Ended together with the database. */
  connect(role?: string, options?: { max?: number }): Sql;
  /** Throws where it holds an event that is not as the catalogue says. */
  drop(): Promise<void>;
}

/** Who runs migrations and so owns our schemas: never a superuser. */
export const owners: Record<Fixture, string> = {
  plain: "gatehouse_migrator",
  supabase: "postgres",
};

/** The roles of our processes that log in. */
export const loginRoles = [
  "authenticator",
  "gatehouse_functions",
  "gatehouse_provision",
  "gatehouse_worker",
  "gatehouse_gateway",
];

/** A migrated database of its own. `await using database = await createDatabase()` drops it at the end of the block. */
export async function createDatabase(
  { fixture = "plain", empty = false }: { fixture?: Fixture; empty?: boolean } = {},
): Promise<TestDatabase> {
  const cluster = (await clusters())[fixture];
  const template = await prepareTemplate(fixture, empty);
  const name = `t_${crypto.randomUUID().replaceAll("-", "")}`;
  await withSql(
    address(cluster, "postgres"),
    (sql) =>
      sql.unsafe(
        `create database ${name} template ${template} strategy file_copy owner ${owners[fixture]}`,
      ),
  );
  const pools: Sql[] = [];
  const database: TestDatabase = {
    name,
    sql: undefined!,
    url: (role) => address(cluster, name, role),
    connect(role, { max = 4 } = {}) {
      const sql = postgres(database.url(role), { max, onnotice: () => {} });
      pools.push(sql);
      return sql;
    },
    async drop() {
      await Promise.all(pools.map((sql) => sql.end({ timeout: 1 })));
      try {
        await withSql(database.url(), checkCatalogue);
      } finally {
        await withSql(
          address(cluster, "postgres"),
          (sql) => sql.unsafe(`drop database if exists ${name} with (force)`),
        );
      }
    },
    [Symbol.asyncDispose]: () => database.drop(),
  };
  database.sql = database.connect();
  return database;
}

/** The template's name tells its content, so that clusters which outlive a run serve the next one too. */
async function prepareTemplate(fixture: Fixture, empty: boolean): Promise<string> {
  const cluster = (await clusters())[fixture];
  const name = `template_${empty ? "empty" : await hashOfMigrations()}`;
  await withSql(address(cluster, "postgres"), async (sql) => {
    await sql`select pg_advisory_lock(1)`; // another process may be making the same one
    const [found] = await sql`select from pg_database where datname = ${name}`;
    if (found) return;
    const unfinished = `unfinished_${name}`;
    await sql.unsafe(`drop database if exists ${unfinished} with (force)`);
    await sql.unsafe(`create database ${unfinished} owner ${owners[fixture]}`);
    if (fixture === "supabase") {
      await withSql(address(cluster, unfinished), (own) => own.unsafe(databaseAsSupabaseGivesIt));
    }
    if (!empty) {
      await migrate({ url: address(cluster, unfinished, owners[fixture]) });
      for (const role of loginRoles) {
        await sql.unsafe(`alter role ${role} password '${cluster.password}'`);
      }
    }
    await sql.unsafe(`alter database ${unfinished} rename to ${name}`);
  });
  return name;
}

async function hashOfMigrations(): Promise<string> {
  const text = listMigrations().map(({ path }) => path + Deno.readTextFileSync(path)).join("\n");
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).slice(0, 8).toHex();
}
