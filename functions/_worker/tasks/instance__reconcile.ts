/**
 * Prepares ZITADEL itself: platform organization, sign-in address, token lifetimes, Gatehouse's project and portal, the bootstrap administrator.
 *
 * Queued by the worker at its start, since our own address may have changed, by `private.enqueue_reconcile` for the platform tenant, and by itself
 * to look once more after a change. No payload. Fails and returns as tenant__reconcile does.
 */
import { config } from "../../_shared/config.ts";
import { log } from "../../_shared/telemetry.ts";
import { instanceFacts, zitadelOf } from "../../provision/environment.ts";
import { reconcileInstance } from "../../provision/instance.ts";
import { lookAgainSeconds, queueAgain, retrySeconds } from "../again.ts";
import { Nothing, task } from "../task.ts";

const job = { task: "instance__reconcile", key: "instance__reconcile" };

export default task(Nothing, async (_, { sql, now, holder, stopping }) => {
  const { zitadel } = zitadelOf(config());
  const facts = await instanceFacts(config());
  const clock = () => now().getTime();
  const outcome = await reconcileInstance({ sql, zitadel, facts, clock, holder, stopping });
  log(outcome.kind === "refused" ? "error" : "info", "instance reconciled", { outcome });
  if (outcome.kind === "unfinished") {
    await queueAgain(sql, { ...job, inSeconds: retrySeconds });
  } else if (outcome.kind === "done" && outcome.changed) {
    await queueAgain(sql, { ...job, inSeconds: lookAgainSeconds });
  }
});
