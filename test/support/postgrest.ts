// PostgREST on a test's database, as the stack runs it.
import { join } from "node:path";
import { spawn } from "../../scripts/stack/child.ts";
import { findFreeRow } from "../../scripts/stack/ports.ts";
import { postgrestSpec, writePostgrestConfig } from "../../scripts/stack/postgrest.ts";
import { serving } from "../../scripts/stack/serving.ts";

/** `databaseUrl` as `authenticator`. PostgREST 12 wants a key to start: put one in first. */
export async function startPostgrest(
  databaseUrl: string,
): Promise<{ url: string; pid: number } & AsyncDisposable> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-postgrest-" });
  const port = findFreeRow(2);
  const url = `http://127.0.0.1:${port}`;
  const postgrest = {
    databaseUrl,
    configFile: join(dir, "postgrest.conf"),
    port,
    adminPort: port + 1,
    logFile: join(dir, "postgrest.log"),
    publicUrl: url,
  };
  await writePostgrestConfig(postgrest);
  const spec = postgrestSpec(postgrest);
  const child = await spawn(spec);
  await serving(child, spec);
  return {
    url,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      await child.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
