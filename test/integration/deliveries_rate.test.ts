// A rate per second is kept: over any second, with two workers, as the attempts say; and as the receiver counts, with FULL=1.
import assert from "node:assert/strict";
import { Deliveries, type Endpoint } from "./deliveries_support.ts";
import { eventually } from "../support/eventually.ts";

const full = Deno.env.get("FULL") === "1";

/** The most within any second. */
function most(times: number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  let best = 0;
  for (let from = 0, to = 0; from < sorted.length; from++) {
    while (to < sorted.length && sorted[to]! < sorted[from]! + 1_000) to++;
    best = Math.max(best, to - from);
  }
  return best;
}

Deno.test("no second holds more than 1 % over the rate, and little less is sent", async (t) => {
  await using bench = await Deliveries.start();
  const { sql } = bench.database;
  await bench.startWorker();
  await bench.startWorker();
  const warm = await bench.endpoint("test.warm"); // a process's first request is slow on its way
  for (let i = 1; i <= 10; i++) {
    await bench.record("test.warm");
    await eventually("it is received", () => bench.at(warm).length === i, 5_000);
  }
  const limited = async (type: string, rate: number) => {
    const endpoint = await bench.endpoint(type);
    await sql`update webhook_endpoints set rate_per_second = ${rate} where id = ${endpoint.id}`;
    return endpoint;
  };
  const times = (endpoint: Endpoint) => bench.at(endpoint).map(({ at }) => at);

  for (const [rate, count] of [[5, 25], [100, 700]] as const) {
    await t.step(`${rate} per second`, async () => {
      const type = `test.rate_${rate}`;
      const endpoint = await limited(type, rate);
      await bench.record(type, count);
      await eventually("all are there", () => bench.at(endpoint).length === count);
      const at = times(endpoint);
      // What arrives also wavers with the machine's load: it is held to the rate where that is quiet, with FULL=1.
      if (full) assert.ok(most(at) <= rate * 1.01, `${most(at)} in one second`);
      const began = await sql`
        select extract(epoch from a.started_at)::float8 * 1000 as at from webhook_attempts a
          join webhook_deliveries d on d.tenant_id = a.tenant_id and d.id = a.delivery_id
         where d.endpoint_id = ${endpoint.id}`;
      assert.ok(most(began.map((row) => row.at)) <= rate * 1.01, "as the attempts say");
      const perSecond = (count - 1) / ((Math.max(...at) - Math.min(...at)) / 1_000);
      assert.ok(perSecond > rate * 0.8, `${perSecond} per second`);
    });
  }

  await t.step("events that trickle in are paced as well, and others are not held up", async () => {
    const slow = await limited("test.trickle", 20);
    const free = await bench.endpoint("test.trickle");
    for (let i = 0; i < 30; i++) {
      await bench.record("test.trickle", 3);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await eventually("the free one has all", () => bench.at(free).length === 90, 3_000);
    assert.ok(bench.at(slow).length < 60);
    await eventually("the slow one too", () => bench.at(slow).length === 90, 15_000);
    if (full) assert.ok(most(times(slow)) <= 20, `${most(times(slow))} in one second`);
  });
});
