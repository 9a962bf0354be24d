/**
 * Sends what is due for one webhook endpoint, in batches, until nothing is due or its turn is over.
 *
 * Queued by `endpoints__find_due`, one job per endpoint (`job_key`). Payload `{ tenantId, id }`. The schedule is
 * `webhook_deliveries.next_attempt_at`: each attempt and the next time are written in one transaction, so this always
 * returns. A delivery whose outcome could not be written is sent again: at least once, always with the same webhook-id.
 * Next: ../batch.ts (a batch), ../delivery.ts (one attempt), sql/50_webhooks/42_claim.sql and 44_settle.sql.
 */
import postgres, { type ISql, type JSONValue, type Sql } from "postgres";
import { z } from "zod";
import { target } from "../../_shared/outbound.ts";
import { log } from "../../_shared/telemetry.ts";
import { type Batch, beginWithinMs, claimSeconds, sendBatch } from "../batch.ts";
import type { Delivery, Result } from "../delivery.ts";
import { line } from "../line.ts";
import { pause } from "../loops.ts";
import { Pace } from "../pace.ts";
import { task, type TaskContext } from "../task.ts";

const Payload = z.strictObject({ tenantId: z.uuid(), id: z.uuid() });
type Endpoint = z.output<typeof Payload>;

const batchSize = 500;
/** Then the endpoint goes behind the others that wait. */
const turnMs = 30_000;
/** What requests under way get when the process is asked to stop; then they are given back, to be sent again. */
const stopMs = 5_000;
/** What a claim gets that judges by a payload filter; it stops judging after 1 s and what one evaluation takes. */
const filterMs = 5_000;
/** Less, so that waiting for a lock is not held against the filter. */
const filterLockMs = 2_000;
/** This process's claims and settlements of full batches: some 10 ms of a processor each, while one thread sends for 35. */
const inLine = line(250);
const atOnce = <T>(call: () => Promise<T>) => call();
const begunAt = Date.now() - performance.now();
/** The later of two clocks: after a step back of the one, or a sleep of the machine by the other, a pump would outlive its claim. */
const clock = () => Math.max(performance.now(), Date.now() - begunAt);

export default task(Payload, pump);

async function pump(
  endpoint: Endpoint,
  { sql, now, stopping }: Pick<TaskContext, "sql" | "now" | "stopping">,
): Promise<void> {
  const turnEnds = clock() + turnMs;
  const goesOn = () => !stopping.aborted && clock() < turnEnds;
  const abandoned = after(stopping, stopMs);
  const pace = new Pace(() => performance.now(), (ms) => pause(ms, stopping));
  const { claim, settle, settlePace, letGo } = desk(sql, endpoint);
  let settling: Promise<void> = Promise.resolve();
  try {
    let next = claim();
    for (;;) {
      const batch = await next;
      if (!batch) break;
      // An order or a rate must know how this batch went before it can tell the next one.
      const inTurn = batch.endpoint.ordering === "strict" || batch.endpoint.pace !== null;
      const run = batch.full ? inLine : atOnce;
      const behind = batch.full && !inTurn && goesOn() ? run(() => claim(batch.last)) : null; // while this one is sent
      behind?.catch(() => {}); // awaited in the next round
      const { results, sick } = await sendBatch(endpoint, batch, {
        open: target,
        now,
        clock,
        pace,
        goOn: () => !stopping.aborted,
        abandoned: abandoned.promise,
      });
      await settling;
      settling = run(() => settle(results));
      settling.catch(() => {}); // awaited below
      if (sick || stopping.aborted) {
        await behind; // what it holds is due again as soon as we let go
        break;
      }
      if (behind) next = behind;
      else {
        await settling;
        if (batch.endpoint.pace) await settlePace(pace.resumesInMs());
        if (!goesOn()) break;
        next = claim();
      }
    }
    await settling;
    await letGo();
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

/** As `private.claim_deliveries` gives it: the bodies apart, a line each. */
type Claimed = {
  claim: Omit<Batch, "beginBy" | "deliveries"> & { deliveries: Omit<Delivery, "body">[] };
  bodies: string;
  unbounded: false;
} | { claim: null; bodies: null; unbounded: boolean };

const queryCanceled = "57014";
const deadlockDetected = "40P01";
const lockNotAvailable = "55P03";
const codeOf = (error: unknown) => error instanceof postgres.PostgresError ? error.code : undefined;

/** This pump's calls; nobody else claims from the endpoint between its first claim and `letGo`. */
function desk(sql: Sql, { tenantId, id }: Endpoint) {
  const pump = crypto.randomUUID();
  let bounded = false;
  const claimBy = async (sql: ISql, behind: Batch["last"] | null) => {
    const [row] = await sql<[Claimed]>`
      select claim, bodies, unbounded from private.claim_deliveries(
        ${tenantId}, ${id}, ${pump}, ${batchSize}, ${claimSeconds}, ${behind && sql.json(behind)})`;
    return row;
  };
  const claimInTime = (behind: Batch["last"] | null) =>
    sql.begin(async (tx) => {
      await tx`select set_config('statement_timeout', ${`${filterMs}`}, true),
        set_config('lock_timeout', ${`${filterLockMs}`}, true)`;
      return await claimBy(tx, behind);
    });
  const claimOnce = async (behind: Batch["last"] | null) => {
    if (!bounded) {
      const claimed = await claimBy(sql, behind);
      if (!claimed.unbounded) return claimed;
      bounded = true; // it has a filter: from here on three round trips more
    }
    return await claimInTime(behind);
  };
  /** Whether the claim failed for a reason that ends this turn: its filter was stopped, or somebody holds the endpoint for long. */
  const endsTurn = async (error: unknown): Promise<boolean> => {
    if (codeOf(error) === lockNotAvailable) return true;
    if (codeOf(error) !== queryCanceled) return false;
    const [{ stopped }] = await sql<[{ stopped: boolean }]>`
      select private.stop_slow_filter(${tenantId}, ${id}) as stopped`;
    if (stopped) {
      const fields = { tenant: tenantId, endpoint: id };
      log("warn", "a payload filter took too long, its endpoint is disabled", fields);
    }
    return stopped;
  };
  return {
    /** @param behind the `last` of a batch that is not settled yet; without one everything claimed before must be. */
    async claim(behind: Batch["last"] | null = null): Promise<Batch | null> {
      const beginBy = clock() + beginWithinMs;
      const claimed = await claimOnce(behind).catch(async (error) => {
        if (await endsTurn(error)) return null;
        throw error;
      });
      if (!claimed?.claim) return null;
      const { claim, bodies } = claimed;
      const lines = bodies.split("\n");
      const deliveries = claim.deliveries.map((one, n) => ({ ...one, body: lines[n]! }));
      return { ...claim, deliveries, beginBy };
    },
    async settle(results: Result[]): Promise<void> {
      if (results.length === 0) return;
      const rows = results as unknown as JSONValue;
      const write = async () =>
        await sql`select private.settle_deliveries(${tenantId}, ${id}, ${sql.json(rows)})`;
      await write().catch(async (error) => {
        if (codeOf(error) !== deadlockDetected) throw error;
        await write(); // else everything of this batch is sent again
      });
    },
    async settlePace(ms: number): Promise<void> {
      if (ms > 0) await sql`select private.settle_pace(${tenantId}, ${id}, ${ms})`;
    },
    async letGo(): Promise<void> {
      await sql`select private.let_go_of_endpoint(${tenantId}, ${id}, ${pump})`;
    },
  };
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
