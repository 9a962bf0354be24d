// Where a sink's secret lies: named by who seals it (functions/audit) and who opens it (functions/_worker/tasks/audit__fan_out.ts).
import type { Place } from "../secrets.ts";

export function sinkSecretPlace(tenantId: string, sinkId: string): Place {
  return { table: "audit_sink_secrets", tenantId, id: sinkId };
}
