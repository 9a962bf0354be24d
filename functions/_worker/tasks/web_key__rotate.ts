/**
 * Makes the next move of the rotation of ZITADEL's signing key, when one is due: publish, wait, activate, wait, retire.
 *
 * Queued once a day by cron, and by itself for the moment when the next move is due. Payload `{}`, or `{ force: true }` from an operator who
 * wants a new key now.
 */
import { z } from "zod";
import { config } from "../../_shared/config.ts";
import { log } from "../../_shared/telemetry.ts";
import { zitadelOf } from "../../provision/environment.ts";
import { platformTenantId } from "../../provision/instance.ts";
import { Lease } from "../../provision/lease.ts";
import { rotateWebKey } from "../../provision/web_key.ts";
import { task } from "../task.ts";
import { againAfterSeconds } from "./tenant__reconcile.ts";

const Payload = z.strictObject({ force: z.boolean().optional() });

export default task(Payload, async ({ force }, { sql, now, holder }) => {
  const clock = () => now().getTime();
  const again = (at: number) =>
    sql`select private.enqueue('web_key__rotate', ${
      sql.json({ force })
    }, 'web_key__rotate', ${new Date(at)})`;
  // The platform's lease: two rotations at once would publish two keys.
  const lease = await Lease.take({ sql, tenantId: platformTenantId, holder, clock });
  if (lease === null) return void await again(clock() + againAfterSeconds * 1000);
  try {
    const { zitadel, issuer, readKeys } = zitadelOf(config());
    const guard = { beforeWrite: () => lease.check(), afterWrite: () => {} };
    const next = await rotateWebKey({
      sql,
      zitadel: zitadel(guard),
      issuer,
      readKeys,
      clock,
      ...(force && { force }),
    });
    log("info", "web key rotation", { next: new Date(next).toISOString() });
    await sql`select private.enqueue('web_key__rotate', '{}', 'web_key__rotate', ${new Date(
      next,
    )})`;
  } finally {
    await lease.release();
  }
});
