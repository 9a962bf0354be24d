/**
 * Writes what history lacks as a new migration, to be read and, where needed, mended by hand.
 *
 * Usage: `deno task db:diff NAME` writes supabase/migrations/<version>_NAME.sql; `deno task db:gate` then says whether it
 * is complete. Two throw-away databases are compared: all migrations, and all declarations of sql/ and policies/.
 */
import { join } from "node:path";
import { Failure } from "../stack/failure.ts";
import { migrations } from "./paths.ts";
import { supabase } from "./supabase_cli.ts";
import { declaredDatabase, migratedDatabase, type Throwaway } from "./throwaway.ts";
import { wrapTransaction } from "./transaction.ts";
import { newVersion } from "./worker_schema.ts";

/** The statements that would turn `from` into `to`; empty when they are the same. Throws when the CLI meets what it cannot compare. */
export async function difference(from: { url: string }, to: { url: string }): Promise<string> {
  const sql = await supabase([
    ...["db", "diff", "--use-pg-delta", "--strict-coverage"],
    ...["--from", from.url, "--to", to.url],
  ]);
  return sql.trim();
}

/** Both sides, started together. */
export async function bothDatabases(): Promise<{ migrated: Throwaway; declared: Throwaway }> {
  const [migrated, declared] = await Promise.allSettled([migratedDatabase(), declaredDatabase()]);
  if (migrated.status === "fulfilled" && declared.status === "fulfilled") {
    return { migrated: migrated.value, declared: declared.value };
  }
  for (const one of [migrated, declared]) {
    if (one.status === "fulfilled") await one.value[Symbol.asyncDispose]();
  }
  throw [migrated, declared].find((one) => one.status === "rejected")!.reason;
}

if (import.meta.main) {
  const [name = ""] = Deno.args;
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    console.error("Usage: deno task db:diff NAME   (snake_case, says what changes)");
    Deno.exit(2);
  }
  try {
    const both = await bothDatabases();
    await using migrated = both.migrated;
    await using declared = both.declared;
    const statements = await difference(migrated, declared);
    if (statements === "") {
      console.error("Nothing differs: the migrations arrive at what sql/ and policies/ declare");
    } else {
      const path = join(migrations, `${newVersion(new Date())}_${name}.sql`);
      Deno.writeTextFileSync(
        path,
        wrapTransaction("Written by deno task db:diff, then read.", statements),
      );
      console.log(path);
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    Deno.exitCode = 1;
  }
}
