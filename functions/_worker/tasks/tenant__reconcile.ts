/**
 * Brings one tenant's twin in ZITADEL to what its rows say: organization, policy, project, roles, applications, administrator.
 *
 * Queued by `private.enqueue_reconcile` in the transaction of the change, one job per tenant (`job_key`), and by itself to look once more
 * after a change. Payload `{ tenantId }`. A failure that time mends throws and the queue runs it again; a refusal by ZITADEL returns: the
 * step shows why, and a change of the row queues the next.
 */
import { z } from "zod";
import { config } from "../../_shared/config.ts";
import { log } from "../../_shared/telemetry.ts";
import { zitadelOf } from "../../provision/environment.ts";
import { reconcileTenant } from "../../provision/saga.ts";
import { lookAgainSeconds, queueAgain, retrySeconds } from "../again.ts";
import { task } from "../task.ts";

export default task(z.strictObject({ tenantId: z.uuid() }), async ({ tenantId }, context) => {
  const { sql, now, holder, stopping } = context;
  const { zitadel, issuer } = zitadelOf(config());
  const clock = () => now().getTime();
  const options = { tenantId, sql, zitadel, issuer, clock, holder, stopping };
  const outcome = await reconcileTenant(options);
  const level = outcome.kind === "refused" ? "warn" : "info";
  log(level, "tenant reconciled", { tenant: tenantId, outcome });

  const job = { task: "tenant__reconcile", key: `tenant__reconcile:${tenantId}` };
  const payload = { tenantId };
  if (outcome.kind === "unfinished") {
    await queueAgain(sql, { ...job, payload, inSeconds: retrySeconds });
  } else if (outcome.kind === "done" && outcome.changed) {
    await queueAgain(sql, { ...job, payload, inSeconds: lookAgainSeconds });
  }
});
