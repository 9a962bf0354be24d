// From a commit to the 2xx that answers it, at half of the rate at which the same worker drains a backlog. The receiver is in this process, so that one clock
// sees both; the rate it is halved from is measured with it too.
import { type Figure, median } from "./support.ts";
import { drained, openSending, record } from "./sending.ts";

const backlog = 8_000;
const seconds = 12;
const writers = 4;

export async function latency(): Promise<Figure[]> {
  await using sending = await openSending();
  const { sql } = sending.database;
  const committed = new Map<string, number>();
  const times: number[] = [];
  const receiver = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const id = request.headers.get("webhook-id")!;
      await request.arrayBuffer();
      arrived.set(id, performance.now());
      return new Response(null, { status: 204 });
    },
  );
  const arrived = new Map<string, number>();
  const url = `http://127.0.0.1:${receiver.addr.port}/`;
  const endpoints: string[] = [];
  for (let n = 0; n < 4; n++) endpoints.push((await sending.addEndpoint(`app.t${n}`, url)).id);
  for (let n = 0; n < 4; n++) await record(sending, `app.t${n}`, backlog / 4);
  await sql.unsafe("vacuum analyze");
  const began = performance.now();
  const worker = await sending.startWorker();
  await drained(sending, endpoints);
  const drainRate = backlog / ((performance.now() - began) / 1_000);

  const gapMs = writers * 1_000 / (drainRate / 2);
  const until = performance.now() + seconds * 1_000;
  let written = 0;
  await Promise.all(Array.from({ length: writers }, async (_, n) => {
    for (let next = performance.now(); next < until; next += gapMs) {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
      const [{ id }] = await sql<[{ id: string }]>`
        select private.record_event(${sending.tenantId}, ${`app.t${n}`}, '[{"kind":"test"}]', '{}') as id`;
      committed.set(id, performance.now());
      written++;
    }
  }));
  const rate = written / seconds;
  await drained(sending, endpoints);
  await worker.stop();
  await receiver.shutdown();
  for (const [id, at] of committed) times.push(arrived.get(id)! - at);
  times.sort((a, b) => a - b);
  const p = (share: number) => times[Math.floor(share * (times.length - 1))]!.toFixed(0);
  return [{
    name: "from commit to 2xx at half of the drain rate, p50",
    value: median(times),
    unit: "ms",
    goal: { at: "most", value: 100 },
    note: `p95 ${p(0.95)}, p99 ${p(0.99)} ms at ${rate.toFixed(0)} of ${
      drainRate.toFixed(0)
    } events/s`,
  }];
}
