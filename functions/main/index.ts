/**
 * Serves the functions named in GATEHOUSE_FUNCTIONS on GATEHOUSE_LISTEN, with /health and /ready.
 *
 *   GATEHOUSE_FUNCTIONS=session,zitadel GATEHOUSE_LISTEN=127.0.0.1:9001 deno run -A functions/main/index.ts
 *
 * SIGTERM or SIGINT: /ready says so, requests under way end (25 s at most), then exit 0.
 */
import { closeDatabase } from "../_shared/db.ts";
import { config, ConfigError } from "../_shared/config.ts";
import { log } from "../_shared/telemetry.ts";
import { loadFunctions, mainApp } from "./app.ts";

const stopWithinMs = 25_000;

async function main(): Promise<void> {
  const { functions: names, listen } = config();
  if (names.length === 0) throw new ConfigError("GATEHOUSE_FUNCTIONS", "names no function");
  const functions = await loadFunctions(names);
  let stopping = false;
  const server = Deno.serve({
    ...listen,
    onListen: ({ hostname, port }) =>
      log("info", "listening", { hostname, port, functions: names }),
  }, mainApp({ functions, stopping: () => stopping }));

  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log("info", "stopping", { signal });
    const late = setTimeout(() => {
      log("warn", "requests under way did not end in time", { stopWithinMs });
      Deno.exit(1);
    }, stopWithinMs);
    await server.shutdown();
    await closeDatabase();
    clearTimeout(late);
    Deno.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => stop(signal));
  }
}

try {
  await main();
} catch (error) {
  log("error", "cannot start", { error });
  Deno.exit(1);
}
