// Runs the two test clusters and prints their addresses as one line of JSON; ends when the process named by its argument does.
import process from "node:process";
import { temporaryPostgres } from "../../scripts/stack/postgres.ts";
import { withSql } from "../../scripts/db/throwaway.ts";
import type { Clusters } from "./postgres.ts";
import { becomeSupabase } from "./supabase_roles.ts";

const [parent] = Deno.args.map(Number);

const [plain, supabase] = await Promise.all([startPlain(), startSupabase()]);
const addresses: Clusters = { plain: plain.address, supabase: supabase.address };
console.log(JSON.stringify(addresses));

while (isAlive(parent!)) await new Promise((resolve) => setTimeout(resolve, 500));
await Promise.all([plain.stop(), supabase.stop()]);

/** Where the installer has made `gatehouse_migrator` and nothing else. */
async function startPlain() {
  const cluster = await temporaryPostgres();
  const password = crypto.randomUUID();
  await withSql(cluster.url(), async (sql) => {
    await sql.unsafe(`alter role postgres password '${password}'`);
    await sql.unsafe(`create role gatehouse_migrator login createrole password '${password}'`);
  });
  return {
    address: { superuser: "postgres", password, port: cluster.port },
    stop: () => cluster.stop(),
  };
}

async function startSupabase() {
  const cluster = await temporaryPostgres();
  const password = crypto.randomUUID();
  await becomeSupabase(cluster.url(), password);
  return {
    address: { superuser: "supabase_admin", password, port: cluster.port },
    stop: () => cluster.stop(),
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
