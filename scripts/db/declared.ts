// Makes the database that sql/ and policies/ declare: what history must arrive at.
import { relative } from "node:path";
import type { ISql, Sql } from "postgres";
import postgres from "postgres";
import { Failure } from "../stack/failure.ts";
import { declarations, root } from "./paths.ts";
import { unwrapTransaction } from "./transaction.ts";
import { workerMigrations } from "./worker_schema.ts";

/** Every declaration in the order of its path: sql/ first, then policies/. */
export function declaredFiles(folders: string[] = declarations): string[] {
  return folders.flatMap((folder) => sqlFiles(folder));
}

/** Loads the queue's schema and then `files` into an empty database, in one transaction. */
export async function loadDeclared(sql: Sql, files = declaredFiles()): Promise<void> {
  await sql.begin(async (tx) => {
    for (const path of workerMigrations()) await runFile(tx, path);
    // A function may name a table of a later file; checkFunctions looks at all of them afterwards.
    await tx`set local check_function_bodies = off`;
    for (const path of files) await runFile(tx, path);
    await checkFunctions(tx);
  });
}

/** Looks at every function body as `create function` would have, now that all tables are there. */
export async function checkFunctions(sql: ISql): Promise<void> {
  await sql`set local check_function_bodies = on`;
  const functions = await sql<{ oid: string; name: string; validator: string }[]>`
    select p.oid::text as oid, p.oid::regprocedure::text as name,
           l.lanvalidator::regproc::text as validator
      from pg_proc p join pg_language l on l.oid = p.prolang
     where p.pronamespace in (select oid from pg_namespace where nspname in ('public', 'private'))
       and l.lanname in ('sql', 'plpgsql') and p.prokind in ('f', 'p')
       and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
     order by name`;
  for (const { oid, name, validator } of functions) {
    await sql.unsafe(`select pg_catalog.${validator}(${oid})`).catch((error) => {
      throw new Failure(`Function ${name} does not stand: ${error.message}`);
    });
  }
}

/** Runs one file of statements in the transaction that `sql` is in; a fault is named by its file and line. */
export async function runFile(sql: ISql, path: string): Promise<void> {
  const text = unwrapTransaction(Deno.readTextFileSync(path));
  await sql.unsafe(text).simple().catch((error) => {
    throw new Failure(`${relative(root, path)}${place(text, error)}`);
  });
}

function place(text: string, error: unknown): string {
  if (!(error instanceof postgres.PostgresError)) return `: ${error}`;
  const line = error.position && text.slice(0, Number(error.position)).split("\n").length;
  return [
    line ? `:${line}` : "",
    `: ${error.message}`,
    error.detail,
    error.where,
    `(${error.code})`,
  ]
    .filter(Boolean).join(" ").replace(" :", ":");
}

function sqlFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) return sqlFiles(path);
    return entry.name.endsWith(".sql") ? [path] : [];
  });
}
