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

interface Claim {
  endpoint: { id: string; url: string };
  secrets: { id: string; keyId: string; ciphertext: string }[];
  deliveries: Delivery[];
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

export default task(Payload, (payload, context) => pump(payload, context, send));

export async function pump(
  endpoint: Endpoint,
  { sql, now, stopping }: Pick<TaskContext, "sql" | "now" | "stopping">,
  send: Send,
): Promise<void> {
  const turnEnds = now().getTime() + turnMs;
  const goesOn = () => !stopping.aborted && now().getTime() < turnEnds;
  let settling: Promise<void> = Promise.resolve();
  try {
    let next = claim(sql, endpoint);
    for (;;) {
      const begunBy = now().getTime() + beginWithinMs;
      const batch = await next;
      if (!batch) break;
      const more = batch.deliveries.length === batchSize && goesOn();
      next = more ? claim(sql, endpoint) : Promise.resolve(null); // while this one is sent
      next.catch(() => {}); // awaited in the next round, where it is caught
      const keys = await openKeys(endpoint, batch);
      const { results, sick } = keys
        ? await sendBatch(
          batch,
          keys,
          send,
          now,
          () => stopping.aborted || now().getTime() > begunBy,
        )
        : { results: batch.deliveries.map(({ id }) => release(id, 60)), sick: true };
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
  }
}

async function claim(sql: Sql, { tenantId, id }: Endpoint): Promise<Claim | null> {
  const [row] = await sql<[{ claim: Claim | null }]>`
    select private.claim_deliveries(${tenantId}, ${id}, ${batchSize}, ${claimSeconds}) as claim`;
  return row.claim;
}

async function settle(sql: Sql, { tenantId, id }: Endpoint, results: Result[]): Promise<void> {
  const rows = results as unknown as JSONValue;
  await sql`select private.settle_deliveries(${tenantId}, ${id}, ${sql.json(rows)})`;
}

/** Null when a secret does not open: our fault, so no attempt is counted against the receiver. */
async function openKeys(
  { tenantId, id }: Endpoint,
  { secrets }: Claim,
): Promise<CryptoKey[] | null> {
  try {
    return await Promise.all(secrets.map(async ({ keyId, ciphertext }) => {
      const sealed = { keyId, ciphertext: Uint8Array.fromBase64(ciphertext) };
      return await importWebhookSecret(await openText(sealed, webhookSecretPlace(tenantId, id)));
    }));
  } catch (error) {
    log("error", "a webhook secret does not open", { tenant: tenantId, endpoint: id, error });
    return null;
  }
}

/** `sick`: the receiver cannot take more now. What was not begun by then is given back unsent. */
async function sendBatch(
  { endpoint, deliveries }: Claim,
  keys: CryptoKey[],
  send: Send,
  now: () => Date,
  tooLate: () => boolean,
): Promise<{ results: Result[]; sick: boolean }> {
  const results: Result[] = [];
  const waiting = deliveries.values();
  let sick = false;
  const lane = async () => {
    for (const delivery of waiting) {
      if (sick || tooLate()) {
        results.push(release(delivery.id));
        continue;
      }
      const result = await attempt({ url: endpoint.url, delivery, keys, send, now, timeoutMs });
      if (result.throttle || result.outcome === "disable") sick = true;
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return { results, sick };
}
