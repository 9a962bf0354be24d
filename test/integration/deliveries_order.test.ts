// A strictly ordered endpoint under retries: per key the order of the log, each event settled before the next is sent. Its neighbours do not wait.
import assert from "node:assert/strict";
import { Deliveries, type Received } from "./deliveries_support.ts";
import { eventually } from "../support/eventually.ts";

const keys = ["a", "b", "c", "d", "e"];
const perKey = 8;
/** Seconds of the schedule are too long for a test: what waits for its retry is made due at once, every 50 ms. */
const hurryMs = 50;

interface Seen {
  key: string;
  n: number;
  ok: boolean;
  from: number;
  to: number;
}

Deno.test("strict order holds per key under retries, with two workers; parallel endpoints are not slowed by it or by a stuck one", async () => {
  await using bench = await Deliveries.start();
  const { sql } = bench.database;
  const seen: Seen[] = [];
  let broken = 0;
  const flaky = async ({ body }: Received) => {
    const { targets, data } = JSON.parse(body);
    const one: Seen = {
      key: targets[0].id,
      n: Number(data.after.name),
      ok: Math.random() > 0.3,
      from: now(),
      to: 0,
    };
    if (!one.ok) broken++;
    seen.push(one);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
    one.to = now();
    return new Response(null, { status: one.ok ? 204 : 500 });
  };
  const now = () => performance.now();
  const strict = await bench.endpoint("app.updated", flaky);
  await sql`update webhook_endpoints set ordering = 'strict', retry_schedule = array_fill(1, array[20]) where id = ${strict.id}`;
  const stuck = await bench.endpoint("app.updated", bench.never);
  await sql`update webhook_endpoints set ordering = 'strict' where id = ${stuck.id}`;
  const parallel = await bench.endpoint("app.updated");
  await bench.startWorker();
  await bench.startWorker();

  const hurry = setInterval(() =>
    sql`
      update webhook_deliveries set next_attempt_at = now()
       where endpoint_id = ${strict.id} and state = 'pending' and attempts > 0`
      .then(() => sql`update webhook_endpoints set paused_until = null where id = ${strict.id}`)
      .catch(() => {}), hurryMs);
  try {
    // Transactions of several keys at once, some of which commit late: the log's order is decided by when each was recorded.
    const log: { key: string; n: number }[] = [];
    for (let n = 0; n < perKey; n++) {
      await Promise.all(keys.map(async (key) => {
        await sql.begin(async (tx) => {
          await tx`select private.record_event(${bench.tenantId}, 'app.updated',
            ${tx.json([{ kind: "app", id: key }])}, ${
            tx.json({ before: { name: "x" }, after: { name: String(n) } })
          })`;
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
        });
        log.push({ key, n });
      }));
    }
    const total = keys.length * perKey;
    await eventually("the parallel one has all", () => bench.at(parallel).length === total, 2_000);
    await eventually(
      "the strict one has all",
      async () => (await bench.deliveries(strict)).every(({ state }) => state === "delivered"),
      40_000,
    );
  } finally {
    clearInterval(hurry);
  }
  assert.ok(broken > 5, "there were retries");
  for (const key of keys) {
    const ofKey = seen.filter((one) => one.key === key);
    for (const [index, one] of ofKey.entries()) {
      const before = ofKey[index - 1];
      assert.equal(one.n, before === undefined ? 0 : before.ok ? before.n + 1 : before.n, `${key}`);
      if (before) assert.ok(one.from >= before.to, "one at a time");
    }
    assert.deepEqual(ofKey.at(-1)!.n, perKey - 1);
  }
  const overlapping = seen.some((one) =>
    seen.some((two) => one.key !== two.key && two.from < one.to && one.from < two.to)
  );
  assert.ok(overlapping, "keys go side by side");
  assert.deepEqual(
    new Set(bench.at(stuck).map(({ body }) => JSON.parse(body).data.after.name)),
    new Set(["0"]),
    "the stuck one got the first of each key and no second",
  );
});

Deno.test("one key alone goes at the speed of its receiver, not of a schedule", async () => {
  await using bench = await Deliveries.start();
  const endpoint = await bench.endpoint("test.single");
  await bench.database
    .sql`update webhook_endpoints set ordering = 'strict' where id = ${endpoint.id}`;
  await bench.record("test.single", 200); // no target: all of one line
  await bench.startWorker();
  const began = Date.now();
  await eventually("all are there", () => bench.at(endpoint).length === 200);
  const numbers = bench.at(endpoint).map(({ body }) => JSON.parse(body).data.n);
  assert.deepEqual(numbers, Array.from({ length: 200 }, (_, i) => i + 1));
  assert.ok(Date.now() - began < 15_000, `${Date.now() - began} ms`);
});
