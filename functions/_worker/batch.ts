// The deliveries of one claim, sent: signed with the endpoint's keys, several at once, each in its slot where a rate is kept.
import type { KeyObject } from "node:crypto";
import type { Target } from "../_shared/outbound.ts";
import { log } from "../_shared/telemetry.ts";
import { openHeaders, openSecrets, type SealedText } from "../_shared/webhook_secrets.ts";
import { attempt, delay, type Delivery, rest, restSeconds, type Result } from "./delivery.ts";
import type { Pace, Slots } from "./pace.ts";

/** What `private.claim_deliveries` gives. */
export interface Batch {
  endpoint: {
    url: string;
    ordering: "parallel" | "strict";
    /** Before this batch. */
    failuresInARow: number;
    pace: Slots | null;
    headers: SealedText | null;
  };
  secrets: SealedText[];
  deliveries: Delivery[];
  /** There may be more: behind `last` it may be claimed while these are sent. */
  full: boolean;
  /** The last one's place in the line: next attempt, event recorded, id. */
  last: [string, string, string];
  /** Milliseconds of the sender's `clock`, which a change of the time does not move: no attempt begins later, so that none outlives the claim. */
  beginBy: number;
}

export interface Sending {
  open: (url: string) => Promise<Target>;
  now: () => Date;
  /** Milliseconds, never going back: what `beginBy` is told by. */
  clock: () => number;
  pace: Pace;
  goOn: () => boolean;
  /** Resolves when what is under way is not waited for any longer. */
  abandoned: Promise<void>;
}

/** Of one endpoint at once: what a receiver sees at most from one worker. */
const parallel = 8;
/** Of an attempt, from the look-up of the name to the last byte. */
const timeoutMs = 15_000;
/** A claim outlives the last attempt that is begun under it; a dead worker's deliveries are due again after it. */
export const claimSeconds = 60;
export const beginWithinMs = claimSeconds * 1_000 - timeoutMs - 5_000;
/** `private.settle_circuit` opens the circuit at as many. */
const failuresToOpen = 10;

/** What was tried. All else stays as it was: what was not begun, and what is under way when nobody waits any longer. `sick`: nothing more can be sent now. */
export async function sendBatch(
  of: { tenantId: string; id: string },
  batch: Batch,
  { open, now, clock, pace, goOn, abandoned }: Sending,
): Promise<{ results: Result[]; sick: boolean }> {
  const { deliveries, endpoint, beginBy } = batch;
  const opened = await openBatch(of, batch);
  if (!opened) return { results: deliveries.map(({ id }) => rest(id, restSeconds)), sick: true };
  if (endpoint.pace) pace.take(endpoint.pace);
  const { send } = await open(endpoint.url);
  const results: Result[] = [];
  const waiting = deliveries.values();
  let sick = false;
  let failures = endpoint.failuresInARow;
  let over = false;
  const mayBegin = () => !sick && !over && goOn() && clock() <= beginBy;
  /** Null when it may not begin any more. A fault of ours is its own only: the others' results are kept, and it is put off. */
  const tryInTurn = async (delivery: Delivery): Promise<Result | null> => {
    try {
      const answered = mayBegin() && endpoint.pace ? await pace.next() : undefined;
      if (!mayBegin()) return null;
      const result = await attempt({ delivery, ...opened, send, now, clock, timeoutMs });
      answered?.();
      return result;
    } catch (error) {
      const { tenantId: tenant, id: endpoint } = of;
      log("error", "a delivery failed here", { tenant, endpoint, delivery: delivery.id, error });
      return delay(delivery.id, restSeconds);
    }
  };
  const lane = async () => {
    for (const delivery of waiting) {
      const result = await tryInTurn(delivery);
      if (!result) return;
      if (result.outcome === "delivered") failures = 0;
      else if (result.outcome !== "release") failures += 1; // that one says nothing of the receiver
      if (result.throttle || result.stop || failures >= failuresToOpen) sick = true;
      results.push(result);
    }
  };
  await Promise.race([Promise.all(Array.from({ length: parallel }, lane)), abandoned]);
  over = true;
  const unsent = results.find(({ outcome, errorClass }) => outcome === "release" && errorClass);
  if (unsent) {
    log("error", "webhooks cannot be sent, the proxy does not let them out", {
      tenant: of.tenantId,
      endpoint: of.id,
      errorClass: unsent.errorClass,
    });
  }
  return { results: [...results], sick };
}

/** Null when a secret does not open: our fault, so no attempt is counted against the receiver. */
async function openBatch(
  { tenantId, id }: { tenantId: string; id: string },
  { secrets, endpoint }: Batch,
): Promise<{ keys: KeyObject[]; headers: Record<string, string> } | null> {
  try {
    if (secrets.length === 0) throw new Error("there is no secret to sign with");
    return {
      keys: await openSecrets(secrets, tenantId, id),
      headers: await openHeaders(endpoint.headers, tenantId, id),
    };
  } catch (error) {
    log("error", "a webhook cannot be signed", { tenant: tenantId, endpoint: id, error });
    return null;
  }
}
