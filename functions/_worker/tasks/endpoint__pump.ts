/**
 * Sends what is due for one webhook endpoint, in batches, until nothing is due or its turn is over.
 *
 * Queued by `endpoints__find_due`, one job per endpoint (`job_key`). Payload `{ tenantId, id }`. The schedule is
 * `webhook_deliveries.next_attempt_at`: each attempt and the next time are written in one transaction, so this always
 * returns. A delivery whose outcome could not be written is sent again: at least once, always with the same webhook-id.
 * Next: ../batch.ts (a batch), ../delivery.ts (one attempt), sql/50_webhooks/42_claim.sql and 44_settle.sql.
 */
import type { JSONValue, Sql } from "postgres";
import { z } from "zod";
import { send } from "../../_shared/outbound.ts";
import { log } from "../../_shared/telemetry.ts";
import { type Batch, beginWithinMs, claimSeconds, sendBatch } from "../batch.ts";
import { release, type Result, type Send } from "../delivery.ts";
import { pause } from "../loops.ts";
import { Pace } from "../pace.ts";
import { task, type TaskContext } from "../task.ts";

const Payload = z.strictObject({ tenantId: z.uuid(), id: z.uuid() });
type Endpoint = z.output<typeof Payload>;

const batchSize = 200;
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
  const pace = new Pace(() => performance.now(), (ms) => pause(ms, stopping));
  let settling: Promise<void> = Promise.resolve();
  try {
    let next = claim(sql, endpoint, now);
    for (;;) {
      const batch = await next;
      if (!batch) break;
      // An order or a rate must know how this batch went before it can tell the next one.
      const inTurn = batch.endpoint.ordering === "strict" || batch.endpoint.pace !== null;
      const full = batch.deliveries.length === batchSize && goesOn();
      next = full && !inTurn ? claim(sql, endpoint, now) : Promise.resolve(null); // while this one is sent
      next.catch(() => {}); // awaited in the next round
      const { results, sick } = await sendBatch(endpoint, batch, {
        send,
        now,
        pace,
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
      if (inTurn) {
        await settling;
        if (batch.endpoint.pace) await settlePace(sql, endpoint, pace.resumesInMs());
        if (goesOn()) next = claim(sql, endpoint, now);
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

async function settlePace(sql: Sql, { tenantId, id }: Endpoint, ms: number): Promise<void> {
  if (ms > 0) await sql`select private.settle_pace(${tenantId}, ${id}, ${ms})`;
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
