// Event executions: each event goes to the targets of its best match, signed, once. Nothing is ever sent again.
import { createHmac } from "node:crypto";
import type { EventRow } from "./events.ts";
import type { Target } from "./model.ts";
import { executionsFor } from "./services/actions.ts";
import type { Store } from "./store.ts";

export function pushEvents(store: Store, events: EventRow[]): void {
  for (const event of events) {
    const execution = executionsFor(event.type).map((id) => store.get("execution", id))
      .find((found) => found !== undefined);
    for (const id of execution?.targets ?? []) {
      const target = store.get("target", id);
      if (target) send(target, store.get("instance", "instance")!.id, event);
    }
  }
}

function send(target: Target, instanceID: string, event: EventRow): void {
  const body = JSON.stringify({
    aggregateID: event.aggregateId,
    aggregateType: event.aggregateType,
    resourceOwner: event.resourceOwner,
    instanceID,
    version: "v2",
    sequence: event.sequence,
    event_type: event.type,
    created_at: event.createdAt,
    userID: event.editor, // who did it, not whom it is about
    event_payload: event.payload,
  });
  const at = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", target.signingKey).update(`${at}.${body}`).digest("hex");
  fetch(target.endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "zitadel-signature": `t=${at},v1=${signature}`,
    },
    body,
    signal: AbortSignal.timeout(target.timeoutSeconds * 1000),
  }).then((response) => response.body?.cancel()).catch((error: Error) => {
    console.error(`zitadel double: target ${target.name} missed ${event.type}: ${error.message}`);
  });
}
