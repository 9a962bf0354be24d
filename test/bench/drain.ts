// A backlog drained to 2xx on loopback by the worker as it runs (find, claim, sign, send, settle), against a loop in the same process that signs
// and posts the same bodies by the same client and guard, at the same concurrency, and writes nothing down.
import { send } from "../../functions/_shared/outbound.ts";
import { signWebhook } from "../../functions/_shared/signing.ts";
import { importWebhookKey } from "../../functions/_shared/signing_keys.ts";
import { drained, openSending, record, type Sending } from "./sending.ts";
import { type BenchDatabase, type Figure, inTurns } from "./support.ts";

const endpoints = 4;
const lanesPerEndpoint = 8; // as endpoint__pump.ts
const perEndpoint = 32_000;

export async function drain(): Promise<Figure[]> {
  await using sending = await openSending();
  const added: Awaited<ReturnType<Sending["addEndpoint"]>>[] = [];
  for (let n = 0; n < endpoints; n++) added.push(await sending.addEndpoint("app.updated"));
  const ids = added.map(({ id }) => id);
  const sides = {
    worker: () => byWorker(sending, ids),
    bare: () => byLoop(sending.database, sending.url, added[0]!.secret),
  };
  // A worker that has just started is a third slower, until its code is compiled; a backlog of size outlasts that.
  for (const side of Object.values(sides)) await side();
  const { worker, bare } = await inTurns(sides, 5);
  return [{
    name: "backlog drained to 2xx ÷ bare loop that signs and posts",
    value: worker / bare,
    unit: "×",
    goal: { at: "least", value: 0.7 },
    note: `${worker.toFixed(0)} and ${bare.toFixed(0)} deliveries/s, ${endpoints} endpoints × ` +
      `${lanesPerEndpoint} lanes, attempts committed`,
  }];
}

/** From the moment a running worker may begin on a full backlog to the last 2xx written down. */
async function byWorker(sending: Sending, ids: string[]): Promise<number> {
  const { sql } = sending.database;
  await record(sending, "app.updated", perEndpoint);
  await sql`vacuum analyze public.webhook_deliveries`;
  await sql`update public.webhook_endpoints set paused_until = 'infinity'`;
  const worker = await sending.startWorker();
  const began = performance.now();
  await sql`update public.webhook_endpoints set paused_until = null`;
  await drained(sending, ids);
  const seconds = (performance.now() - began) / 1_000;
  await worker.stop();
  const [{ lost }] = await sql<[{ lost: number }]>`
    select count(*)::integer as lost from public.webhook_deliveries where state <> 'delivered'`;
  if (lost > 0) throw new Error(`${lost} deliveries did not arrive`);
  return endpoints * perEndpoint / seconds;
}

async function byLoop({ sql }: BenchDatabase, url: string, secret: string): Promise<number> {
  const bodies = await sql<{ id: string; body: string }[]>`
    select e.id, private.delivery_body(e) as body
      from public.audit_events e where e.type = 'app.updated' limit ${perEndpoint}`;
  const jobs = Array.from({ length: endpoints }, () => [...bodies]).flat().values();
  const began = performance.now();
  const keys = [importWebhookKey(secret)];
  await Promise.all(Array.from({ length: endpoints * lanesPerEndpoint }, async () => {
    for (const { id, body } of jobs) {
      const timestampSeconds = Math.floor(Date.now() / 1_000);
      const headers = signWebhook({ id, timestampSeconds, body }, keys);
      const { status } = await send({
        url,
        headers: { ...headers, "content-type": "application/json" },
        body,
      });
      if (status !== 204) throw new Error(`The receiver answered ${status}`);
    }
  }));
  return endpoints * perEndpoint / ((performance.now() - began) / 1_000);
}
