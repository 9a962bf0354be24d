/**
 * The development double of ZITADEL. Never in a bundle; see README.md for what it is worth.
 *
 * Environment: ZITADEL_DOUBLE_LISTEN (host:port), ZITADEL_DOUBLE_DB_URL (a database of its own), ZITADEL_DOUBLE_ISSUER
 * (default http://LISTEN), ZITADEL_DOUBLE_BOOTSTRAP_DIR (three token files at the first start), ZITADEL_DOUBLE_LAG_MS (100),
 * ZITADEL_DOUBLE_PLAYED (where Google, GitHub and Microsoft are played: scripts/stack/providers).
 * Prints `ready` when it answers. SIGTERM and SIGINT stop it: exit 0.
 */
import { Double } from "./server.ts";

function needed(name: string): string {
  const value = Deno.env.get(name);
  if (value) return value;
  console.error(`${name} is missing`);
  Deno.exit(2);
}

const listen = needed("ZITADEL_DOUBLE_LISTEN");
const at = listen.lastIndexOf(":");
const double = await Double.open({
  issuer: Deno.env.get("ZITADEL_DOUBLE_ISSUER") || `http://${listen}`,
  dbUrl: needed("ZITADEL_DOUBLE_DB_URL"),
  bootstrapFolder: Deno.env.get("ZITADEL_DOUBLE_BOOTSTRAP_DIR"),
  played: Deno.env.get("ZITADEL_DOUBLE_PLAYED"),
  lagMs: Number(Deno.env.get("ZITADEL_DOUBLE_LAG_MS") ?? 100),
});
await double.listen(listen.slice(0, at), Number(listen.slice(at + 1)));
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, async () => {
    await double.close();
    Deno.exit(0);
  });
}
console.log("ready");
