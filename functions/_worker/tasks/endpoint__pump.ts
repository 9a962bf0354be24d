/**
 * Sends what is due for one webhook endpoint, in batches, until nothing is due or its turn is over.
 *
 * Queued by `endpoints__find_due`, one job per endpoint (`job_key`). Payload `{ tenantId, id }`. The schedule is
 * `webhook_deliveries.next_attempt_at`: each attempt and the next time are written in one transaction, so this always
 * returns. A delivery whose outcome could not be written is sent again: at least once, always with the same webhook-id.
 * Next: ../delivery.ts (one attempt), sql/50_webhooks/40_pump.sql (claim and settle).
 */
import type { JSONValue, Sql } from "postgres";
import { z } from "zod";
import { send } from "../../_shared/outbound.ts";
import { openText } from "../../_shared/secrets.ts";
import { importWebhookSecret, webhookSecretPlace } from "../../_shared/signing.ts";
import { log } from "../../_shared/telemetry.ts";
import { attempt, type Delivery, release, type Result, type Send } from "../delivery.ts";
import { task, type TaskContext } from "../task.ts";

const Payload = z.strictObject({ tenantId: z.uuid(), id: z.uuid() });
type Endpoint = z.output<typeof Payload>;

/** What `private.claim_deliveries` gives. */
interface Batch {
  endpoint: { url: string };
  secrets: { keyId: string; ciphertext: string }[];
  deliveries: Delivery[];
  /** Milliseconds since the epoch: no attempt begins later, so that none outlives the claim. */
  beginBy: number;
}

/** Of one endpoint at once: what a receiver sees at most from one worker. */
const parallel = 8;
const batchSize = 200;
const timeoutMs = 15_000;
/** A claim outlives the last attempt that is begun under it; a dead worker's deliveries are due again after it. */
const claimSeconds = 60;
const beginWithinMs = claimSeconds * 1_000 - timeoutMs - 5_000;
/** Then the endpoint goes behind the others that wait. */
const turnMs = 30_000;
/** What requests under way get when the process is asked to stop; then they are given back, to be sent again. */
const stopMs = 5_000;

export default task(Payload, (payload, context) => pump(payload, context, send));

export async function pump(
  endpoint: Endpoint,
  { sql, now, stopping }: Pick<TaskContext, "sql" | "now" | "stopping">,
  send: Send,
): Promise<void> {
  const turnEnds = now().getTime() + turnMs;
  const goesOn = () => !stopping.aborted && now().getTime() < turnEnds;
  const abandoned = after(stopping, stopMs);
  let settling: Promise<void> = Promise.resolve();
  try {
    let next = claim(sql, endpoint, now);
    for (;;) {
      const batch = await next;
      if (!batch) break;
      const more = batch.deliveries.length === batchSize && goesOn();
      next = more ? claim(sql, endpoint, now) : Promise.resolve(null); // while this one is sent
      next.catch(() => {}); // awaited in the next round
      const { results, sick } = await sendBatch(endpoint, batch, {
        send,
        now,
        goOn: () => !stopping.aborted,
        abandoned: abandoned.promise,
      });
      await settling;
      settling = settle(sql, endpoint, results);
      settling.catch(() => {}); // awaited below
      if (sick || stopping.aborted) {
        const unsent = await next;
        await settling;
        if (unsent) await settle(sql, endpoint, unsent.deliveries.map(({ id }) => release(id)));
        break;
      }
    }
    await settling;
  } catch (error) {
    log("error", "deliveries were not settled, they are due again when their claim ends", {
      tenant: endpoint.tenantId,
      endpoint: endpoint.id,
      error,
    });
  } finally {
    abandoned.cancel();
  }
}

async function claim(sql: Sql, { tenantId, id }: Endpoint, now: () => Date): Promise<Batch | null> {
  const beginBy = now().getTime() + beginWithinMs;
  const [row] = await sql<[{ claim: Omit<Batch, "beginBy"> | null }]>`
    select private.claim_deliveries(${tenantId}, ${id}, ${batchSize}, ${claimSeconds}) as claim`;
  return row.claim && { ...row.claim, beginBy };
}

async function settle(sql: Sql, { tenantId, id }: Endpoint, results: Result[]): Promise<void> {
  const rows = results as unknown as JSONValue;
  await sql`select private.settle_deliveries(${tenantId}, ${id}, ${sql.json(rows)})`;
}

interface Sending {
  send: Send;
  now: () => Date;
  goOn: () => boolean;
  /** Resolves when what is under way is not waited for any longer. */
  abandoned: Promise<void>;
}

/** `sick`: nothing more can be sent now. What was not begun by then is given back unsent. */
async function sendBatch(
  endpoint: Endpoint,
  batch: Batch,
  { send, now, goOn, abandoned }: Sending,
): Promise<{ results: Result[]; sick: boolean }> {
  const { deliveries, endpoint: { url }, beginBy } = batch;
  const keys = await openKeys(endpoint, batch);
  if (!keys) return { results: deliveries.map(({ id }) => release(id, 60)), sick: true };
  const results: Result[] = [];
  const waiting = deliveries.values();
  let sick = false;
  const lane = async () => {
    for (const delivery of waiting) {
      if (sick || !goOn() || now().getTime() > beginBy) {
        results.push(release(delivery.id));
        continue;
      }
      const result = await Promise.race([
        attempt({ url, delivery, keys, send, now, timeoutMs }),
        abandoned.then(() => release(delivery.id)),
      ]);
      if (result.throttle || result.outcome === "disable") sick = true;
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return { results, sick };
}

/** Null when a secret does not open: our fault, so no attempt is counted against the receiver. */
async function openKeys(
  { tenantId, id }: Endpoint,
  { secrets }: Batch,
): Promise<CryptoKey[] | null> {
  try {
    if (secrets.length === 0) throw new Error("there is no secret to sign with");
    return await Promise.all(secrets.map(async ({ keyId, ciphertext }) => {
      const sealed = { keyId, ciphertext: Uint8Array.fromBase64(ciphertext) };
      return await importWebhookSecret(await openText(sealed, webhookSecretPlace(tenantId, id)));
    }));
  } catch (error) {
    log("error", "a webhook cannot be signed", { tenant: tenantId, endpoint: id, error });
    return null;
  }
}

/** Resolves so long after the signal; never, without one. `cancel` lets go of the signal. */
function after(signal: AbortSignal, ms: number): { promise: Promise<void>; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const start = () => timer = setTimeout(resolve, ms);
  if (signal.aborted) start();
  else signal.addEventListener("abort", start, { once: true });
  return {
    promise,
    cancel() {
      clearTimeout(timer);
      signal.removeEventListener("abort", start);
    },
  };
}
