/**
 * Brings one tenant's twin in ZITADEL to what its rows say: organization, policy, project, roles, applications, administrator.
 *
 * Queued by `private.enqueue_reconcile` in the transaction of the change, one job per tenant (`job_key`). Payload `{ tenantId }`. A failure that time
 * mends throws and the queue runs it again; a refusal by ZITADEL returns: the step shows why, and a change of the row queues the next.
 */
import { z } from "zod";
import { config } from "../../_shared/config.ts";
import { log } from "../../_shared/telemetry.ts";
import { zitadelOf } from "../../provision/environment.ts";
import { reconcileTenant } from "../../provision/saga.ts";
import { task } from "../task.ts";

/** A run that another one kept out looks again so much later: the other may have begun before the latest change. */
export const againAfterSeconds = 2;

export default task(z.strictObject({ tenantId: z.uuid() }), async ({ tenantId }, context) => {
  const { sql, now, holder, stopping } = context;
  const { zitadel, issuer } = zitadelOf(config());
  const clock = () => now().getTime();
  const outcome = await reconcileTenant({
    tenantId,
    sql,
    zitadel,
    issuer,
    clock,
    holder,
    stopping,
  });
  log(outcome.kind === "refused" ? "warn" : "info", "tenant reconciled", {
    tenant: tenantId,
    outcome,
  });
  if (outcome.kind === "unfinished") {
    await sql`
      select private.enqueue('tenant__reconcile', ${sql.json({ tenantId })}, ${
      "tenant__reconcile:" + tenantId
    },
        now() + make_interval(secs => ${againAfterSeconds}))`;
  }
});
