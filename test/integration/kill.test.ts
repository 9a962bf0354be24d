// KILL: at random moments kill -9 of the worker, of the functions, of one backend of Postgres, of Postgres itself (fsync on), while callers commit and roll back:
// what was delivered is what was committed. FULL=1: 500 kills instead of 20. SEED=n draws the same kills again.
import assert from "node:assert/strict";
import { seeded } from "../sql/tamper_attacks.ts";
import { KillBench, type Taken } from "./kill_support.ts";
import { eventually } from "../support/eventually.ts";
import { sleep } from "./worker_support.ts";
import { Writers } from "./kill_writers.ts";

const points = Deno.env.get("FULL") ? 500 : 20;
const seed = Number(Deno.env.get("SEED") ?? crypto.getRandomValues(new Uint16Array(1))[0]);
const victims = ["worker", "functions", "backend", "postgres", "worker and postgres"] as const;

Deno.test(`delivered if and only if committed, whatever is killed (SEED=${seed})`, async () => {
  console.log(`kill test: SEED=${seed}, ${points} points`);
  const draw = seeded(seed);
  const random = () => draw(1_000_000) / 1_000_000;
  await using bench = await KillBench.start(() => Math.random()); // answers come in no fixed order
  const writers = new Writers(bench, Math.random);
  const killed: Record<string, number> = {};
  for (let point = 0; point < points; point++) {
    // Mostly under way again after the last kill, sometimes hit while it still recovers.
    const before = bench.taken.length;
    for (let waited = 0; waited < 1_000 && bench.taken.length <= before + 5; waited += 50) {
      await sleep(50);
    }
    const [victim, waitMs, which] = [victims[draw(victims.length)]!, draw(400), random()];
    await sleep(waitMs);
    killed[victim] = (killed[victim] ?? 0) + 1;
    if (victim === "functions") bench.functions.kill();
    if (victim.startsWith("worker")) bench.worker.kill();
    if (victim.endsWith("postgres")) await bench.killPostgres();
    if (victim === "backend") await bench.killBackend(which);
    if (victim !== "worker" && victim !== "functions") await bench.recovered();
  }
  const { committed, rolledBack } = await writers.end();
  await bench.makeDue();
  const pending = async () =>
    (await bench
      .sql`select count(*)::int as n from public.webhook_deliveries where state = 'pending'`)[0]!
      .n;
  await eventually("everything is delivered", async () => await pending() === 0, 60_000);

  const inLog = new Map(
    (await bench.sql<{ id: string; marker: string }[]>`
      select id, coalesce(data ->> 'marker', data -> 'after' ->> 'name') as marker
        from public.audit_events where type in ('provider.created', 'custom.killed')`)
      .map(({ id, marker }) => [id, marker]),
  );
  const markers = new Set(inLog.values());
  assert.equal(markers.size, inLog.size, "one event each, through every repeat of a request");
  assert.deepEqual([...committed].filter((marker) => !markers.has(marker)), [], "lost");
  assert.deepEqual([...rolledBack].filter((marker) => markers.has(marker)), [], "phantom");

  const accepted = new Set(bench.taken.filter(isAccepted).map(({ webhookId }) => webhookId));
  assert.deepEqual([...inLog.keys()].filter((id) => !accepted.has(id)), [], "not delivered");
  assert.deepEqual(
    bench.taken.filter(({ webhookId }) => !inLog.has(webhookId)),
    [],
    "not in the log",
  );
  assert.deepEqual(bench.forged, [], "signatures that do not hold");
  const bodies = Map.groupBy(bench.taken, ({ webhookId }) => webhookId);
  for (const [webhookId, all] of bodies) {
    assert.equal(new Set(all.map(({ body }) => body)).size, 1, `${webhookId}: one body`);
    assert.equal(JSON.parse(all[0]!.body).id, webhookId);
  }
  const states = await bench.sql`
    select state, count(*)::int as n, count(distinct event_id)::int as events
      from public.webhook_deliveries group by state`;
  assert.deepEqual(states.map((row) => ({ ...row })), [
    { state: "delivered", n: inLog.size, events: inLog.size },
  ]);
  const unsure = inLog.size - committed.size;
  console.log(
    `${inLog.size} committed (${unsure} unsure), ${rolledBack.size} rolled back, ` +
      `${bench.taken.length - accepted.size} sent again; killed ${JSON.stringify(killed)}`,
  );
});

const isAccepted = ({ status }: Taken) => status === 204;
