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
import { queueAgain, retrySeconds } from "../again.ts";
import { task } from "../task.ts";

const Payload = z.strictObject({ force: z.boolean().default(false) });
const job = { task: "web_key__rotate", key: "web_key__rotate" };

export default task(Payload, async ({ force }, { sql, now, holder }) => {
  const clock = () => now().getTime();
  // The platform's lease: two rotations at once would publish two keys.
  const lease = await Lease.take({ sql, tenantId: platformTenantId, holder, clock });
  if (lease === null) {
    return await queueAgain(sql, { ...job, payload: { force }, inSeconds: retrySeconds });
  }
  try {
    const { zitadel, issuer, readKeys } = zitadelOf(config());
    const guarded = zitadel({ beforeWrite: () => lease.check(), afterWrite: () => {} });
    const next = await rotateWebKey({ sql, zitadel: guarded, issuer, readKeys, clock, force });
    log("info", "web key rotation", { next: new Date(next).toISOString() });
    await queueAgain(sql, { ...job, inSeconds: Math.max(0, next - clock()) / 1000 });
  } finally {
    await lease.release();
  }
});
