// One reconcile in a process of its own, that hangs at a boundary: for kill -9. See provision_concurrency.test.ts.
import postgres from "postgres";
import { provisioner } from "../../functions/_shared/zitadel/provisioner.ts";
import { reconcileTenant } from "../../functions/provision/saga.ts";

const env = (name: string) => Deno.env.get(`CHILD_${name}`)!;
const sql = postgres(env("DB_URL"), { max: 2, onnotice: () => {} });
const issuer = env("ISSUER");
const address = { profile: "embedded" as const, issuer, tokenFile: env("TOKEN_FILE") };

await reconcileTenant({
  tenantId: env("TENANT"),
  sql,
  issuer,
  zitadel: (guard) => provisioner({ ...address, guard }),
  clock: Date.now,
  holder: "child",
  leaseSeconds: 3,
  async onBoundary(name) {
    if (name !== env("HANGS_AT")) return;
    console.log("hangs");
    await new Promise(() => {}); // the lease's own timer keeps the process, and the lease, alive
  },
});
