/**
 * Prepares ZITADEL itself: platform organization, sign-in address, token lifetimes, Gatehouse's project and portal, the bootstrap administrator.
 *
 * Queued by the worker at its start, since our own address may have changed, and by `private.enqueue_reconcile` for the platform tenant. No payload.
 * Fails and returns as tenant__reconcile does.
 */
import { config } from "../../_shared/config.ts";
import { log } from "../../_shared/telemetry.ts";
import { instanceFacts, zitadelOf } from "../../provision/environment.ts";
import { reconcileInstance } from "../../provision/instance.ts";
import { Nothing, task } from "../task.ts";
import { againAfterSeconds } from "./tenant__reconcile.ts";

export default task(Nothing, async (_, { sql, now, holder, stopping }) => {
  const { zitadel } = zitadelOf(config());
  const facts = await instanceFacts(config());
  const clock = () => now().getTime();
  const outcome = await reconcileInstance({ sql, zitadel, facts, clock, holder, stopping });
  log(outcome.kind === "refused" ? "error" : "info", "instance reconciled", { outcome });
  if (outcome.kind === "unfinished") {
    await sql`
      select private.enqueue('instance__reconcile', '{}', 'instance__reconcile',
        now() + make_interval(secs => ${againAfterSeconds}))`;
  }
});
