// What a dead receiver with 100,000 waiting deliveries costs the other endpoints: the same backlog drained with it and without it, in turns.
import { type Figure, inTurns } from "./support.ts";
import { drained, openSending, record, type Sending } from "./sending.ts";

const waiting = 100_000;
const others = 4;
const perEndpoint = 5_000;

export async function deadEndpoint(): Promise<Figure[]> {
  await using sending = await openSending();
  const { sql } = sending.database;
  const living: string[] = [];
  for (let n = 0; n < others; n++) living.push((await sending.addEndpoint("app.updated")).id);
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 }); // takes connections, never answers
  const dead = await sending.addEndpoint("app.created", `http://127.0.0.1:${silent.addr.port}/`);
  await record(sending, "app.created", waiting);
  await sql.unsafe("vacuum analyze");
  const { quiet, beside } = await inTurns({
    quiet: () => rate(sending, living, dead.id, false),
    beside: () => rate(sending, living, dead.id, true),
  }, 4);
  silent.close();
  return [{
    name: `others' throughput beside a dead endpoint with ${waiting} waiting ÷ without it`,
    value: beside / quiet,
    unit: "×",
    goal: { at: "least", value: 0.95 },
    note: `${beside.toFixed(0)} and ${quiet.toFixed(0)} deliveries/s, ${others} endpoints`,
  }];
}

/** Each round begins with the dead endpoint as it is first met: every delivery due; or not at all. */
async function rate(
  sending: Sending,
  living: string[],
  dead: string,
  beside: boolean,
): Promise<number> {
  const { sql } = sending.database;
  await sql`update public.webhook_endpoints
    set enabled = ${beside}, paused_until = null where id = ${dead}`;
  await sql`update public.webhook_deliveries
    set state = ${beside ? "pending" : "cancelled"}, settled_at = null, next_attempt_at = now()
    where endpoint_id = ${dead}`;
  await record(sending, "app.updated", perEndpoint);
  await sql.unsafe("vacuum analyze public.webhook_deliveries");
  const began = performance.now();
  const worker = await sending.startWorker();
  await drained(sending, living);
  const seconds = (performance.now() - began) / 1_000;
  await worker.stop();
  const [{ left }] = await sql<[{ left: number }]>`
    select count(*)::int as left from public.webhook_deliveries
     where state = 'pending' and endpoint_id = ${dead}`;
  if (beside && left !== waiting) throw new Error(`Of ${waiting} deliveries ${left} still wait`);
  return living.length * perEndpoint / seconds;
}
