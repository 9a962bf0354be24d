/**
 * Queues `tenant__reconcile` again for tenants and applications that ZITADEL has not confirmed, the longer ago the more
 * attempts there were. Queued by cron each minute: a saga whose job gave up is finished when ZITADEL is back.
 */
import { Nothing, task } from "../task.ts";

export default task(Nothing, async (_payload, { sql }) => {
  await sql`select private.find_stuck_tenants(100)`;
});
