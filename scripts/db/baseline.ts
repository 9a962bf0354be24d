/**
 * Writes the first migration of ours: every declaration, in the order in which they load. One file and so one
 * transaction, for at no moment may a table stand without its policies.
 *
 * Usage: `deno task db:baseline`, until the first release. From then on history is not rewritten: it refuses when a
 * later migration exists, and `deno task db:diff NAME` adds to it.
 */
import { basename, join, relative } from "node:path";
import { Failure } from "../stack/failure.ts";
import { listMigrations } from "../migrate.ts";
import { declaredFiles } from "./declared.ts";
import { migrations, root } from "./paths.ts";
import { wrapTransaction } from "./transaction.ts";

const version = "20261122000100";

export function baseline(): string {
  const sections = declaredFiles().map((path) =>
    `-- ${relative(root, path)}\n\n${Deno.readTextFileSync(path).trim()}\n`
  );
  return wrapTransaction(
    "The database as it was first declared, file by file: read sql/ and policies/ instead.",
    [
      "-- a function may name a table that comes later\nset local check_function_bodies = off;\n",
      ...sections,
    ].join("\n"),
  );
}

if (import.meta.main) {
  const later = listMigrations().filter((one) => one.version > version);
  if (later.length > 0) {
    throw new Failure(
      `History goes on after the baseline (${
        basename(later[0]!.path)
      }): use deno task db:diff NAME`,
    );
  }
  const path = join(migrations, `${version}_baseline.sql`);
  Deno.writeTextFileSync(path, baseline());
  console.log(path);
}
