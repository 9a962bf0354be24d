// From an event that was committed to a receiver's 2xx: a real worker process, a real receiver, the standard's own library.
import assert from "node:assert/strict";
import { Deliveries, verify } from "./deliveries_support.ts";
import { eventually } from "../support/eventually.ts";
import { sleep } from "./worker_support.ts";

const status = (code: number, headers: Record<string, string> = {}) => () =>
  new Response(null, { status: code, headers });

Deno.test("webhooks are delivered", async (t) => {
  await using bench = await Deliveries.start();
  const { sql } = bench.database;
  const worker = await bench.startWorker();
  const step = (name: string, run: () => Promise<void>) => t.step(name, run);

  await step(
    "a committed change reaches the receiver, signed as the standard says, within a second",
    async () => {
      const endpoint = await bench.endpoint("tenant.updated");
      const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
      const began = Date.now();
      await sql.begin(async (tx) => {
        await tx`select set_config('gatehouse.traceparent', ${trace}, true)`;
        await tx`update tenants set name = 'Acme ✓' where id = ${bench.tenantId}`;
      });
      await eventually("it is received", () => bench.at(endpoint).length > 0);
      const [received] = bench.at(endpoint);
      assert.ok(received!.at - began < 1_000, `after ${received!.at - began} ms`);
      const body = verify(endpoint.secret, received!);
      const [event] = await sql`select * from audit_events where type = 'tenant.updated'`;
      assert.equal(received!.headers["webhook-id"], event!.id);
      assert.equal(received!.headers["content-type"], "application/json");
      assert.equal(received!.headers["traceparent"]?.slice(0, 35), trace.slice(0, 35));
      assert.equal(body.type, "tenant.updated");
      assert.equal(body.id, event!.id);
      assert.equal(body.tenant_id, bench.tenantId);
      assert.equal(new Date(body.timestamp as string).getTime(), event!.occurred_at.getTime());
      assert.deepEqual(body.data, event!.data);
      assert.throws(() => verify(endpoint.secret, { ...received!, body: received!.body + " " }));
      await eventually(
        "it is settled",
        async () => (await bench.deliveries(endpoint))[0]!.state === "delivered",
      );
    },
  );

  await step("delivered if and only if committed", async () => {
    const endpoint = await bench.endpoint("test.committed");
    await sql.begin(async (tx) => {
      await tx`select private.record_event(${bench.tenantId}, 'test.committed', '[]', '{"n": 1}')`;
      await sleep(400);
      throw new Error("rolled back");
    }).catch(() => {});
    await sql.begin(async (tx) => {
      await tx`select private.record_event(${bench.tenantId}, 'test.committed', '[]', '{"n": 2}')`;
      await sleep(400);
      assert.equal(bench.at(endpoint).length, 0, "sent before commit");
    });
    await eventually("the committed one is received", () => bench.at(endpoint).length > 0);
    await sleep(300);
    assert.deepEqual(bench.at(endpoint).map(({ body }) => JSON.parse(body).data), [{ n: 2 }]);
  });

  await step("while a secret is rotated, old and new verify the same request", async () => {
    const endpoint = await bench.endpoint("test.rotated");
    const newer = await bench.addSecret(endpoint.id);
    await bench.record("test.rotated");
    await eventually("it is received", () => bench.at(endpoint).length > 0);
    const [received] = bench.at(endpoint);
    assert.equal(received!.headers["webhook-signature"]!.split(" ").length, 2);
    assert.deepEqual(verify(endpoint.secret, received!), verify(newer, received!));
  });

  await step("a 500 is tried again with back-off, under the same webhook-id", async () => {
    let fails = 2;
    const endpoint = await bench.endpoint(
      "test.retried",
      () => fails-- > 0 ? new Response("not today\0", { status: 500 }) : status(204)(),
    );
    await bench.record("test.retried");
    for (const [attempts, low, high] of [[1, 2, 7], [2, 200, 400]] as const) {
      await eventually(
        "it failed",
        async () => (await bench.deliveries(endpoint))[0]!.attempts === attempts,
      );
      const [delivery] = await bench.deliveries(endpoint);
      assert.equal(delivery!.state, "pending");
      const { due_in_seconds: due } = delivery!;
      assert.ok(due > low && due < high, `attempt ${attempts + 1} is due in ${due} s`);
      await sleep(1_000); // so that the next timestamp differs
      assert.equal(bench.at(endpoint).length, attempts, "nothing is sent before it is due");
      await bench.makeDue(endpoint);
    }
    await eventually(
      "it is delivered",
      async () => (await bench.deliveries(endpoint))[0]!.state === "delivered",
    );
    const received = bench.at(endpoint);
    assert.equal(received.length, 3);
    assert.equal(new Set(received.map(({ headers }) => headers["webhook-id"])).size, 1);
    assert.equal(new Set(received.map(({ headers }) => headers["webhook-timestamp"])).size, 3);
    received.forEach((request) => verify(endpoint.secret, request));
    const attempts = await bench.attempts(endpoint);
    assert.deepEqual(attempts.map((a) => [a.number, a.status]), [[1, 500], [2, 500], [3, 204]]);
    assert.equal(attempts[0]!.response_body, "not today\uFFFD");
  });

  await step("410 disables the endpoint and cancels what waited", async () => {
    const endpoint = await bench.endpoint("test.gone", status(410));
    await bench.record("test.gone", 50);
    const disabled = async () =>
      (await sql`select enabled, disabled_reason from webhook_endpoints where id = ${endpoint.id}`)[
        0
      ]!;
    await eventually("it is disabled", async () => !(await disabled()).enabled);
    assert.equal((await disabled()).disabled_reason, "gone");
    await eventually(
      "all are cancelled",
      async () => (await bench.deliveries(endpoint)).every(({ state }) => state === "cancelled"),
    );
    await bench.record("test.gone");
    await sleep(300);
    assert.ok(bench.at(endpoint).length <= 8, "no more than were under way");
    assert.equal((await bench.deliveries(endpoint)).length, 50);
  });

  await step("a redirect is a failure and is not followed", async () => {
    const target = await bench.endpoint("test.never");
    const endpoint = await bench.endpoint(
      "test.redirected",
      status(302, { location: bench.origin + target.path }),
    );
    await bench.record("test.redirected");
    await eventually(
      "it was tried",
      async () => (await bench.deliveries(endpoint))[0]!.attempts === 1,
    );
    assert.equal((await bench.deliveries(endpoint))[0]!.state, "pending");
    assert.equal((await bench.attempts(endpoint))[0]!.status, 302);
    assert.equal(bench.at(target).length, 0);
  });

  await step(
    "503 with retry-after: the endpoint rests so long, what was not sent counts no attempt",
    async () => {
      const endpoint = await bench.endpoint("test.slow_down", status(503, { "retry-after": "60" }));
      await bench.record("test.slow_down", 100);
      const paused = async () =>
        (await sql`
        select extract(epoch from paused_until - now())::float as seconds
          from webhook_endpoints where id = ${endpoint.id}`)[0]!.seconds;
      await eventually("it rests", async () => await paused() !== null);
      assert.ok(await paused() > 50 && await paused() <= 60);
      await eventually(
        "no pump has it",
        async () =>
          (await sql`
          select pump from webhook_endpoint_states where endpoint_id = ${endpoint.id}`)[0]!.pump ===
            null,
      );
      await sleep(500);
      const tried = bench.at(endpoint).length;
      assert.ok(tried <= 8, `${tried} requests`);
      const deliveries = await bench.deliveries(endpoint);
      assert.equal(deliveries.filter(({ attempts }) => attempts === 1).length, tried);
      assert.equal(deliveries.filter(({ attempts }) => attempts === 0).length, 100 - tried);
      for (const { attempts, due_in_seconds } of deliveries) {
        if (attempts === 1) assert.ok(due_in_seconds > 50, `due in ${due_in_seconds} s`);
      }
    },
  );

  await step("nobody listens, or the door refuses: the reason is on record", async () => {
    const closed = await bench.endpoint("test.closed", undefined, "http://127.0.0.1:18999/x");
    const refused = await bench.endpoint(
      "test.refused",
      undefined,
      "http://169.254.169.254/latest",
    );
    await bench.record("test.closed");
    await bench.record("test.refused");
    for (
      const [endpoint, why] of [[closed, "connect_failed"], [refused, "address_refused"]] as const
    ) {
      await eventually(
        "it was tried",
        async () => (await bench.attempts(endpoint)).length === 1,
      );
      const [attempt] = await bench.attempts(endpoint);
      assert.deepEqual([attempt!.status, attempt!.error_class], [null, why]);
    }
  });

  await step(
    "a secret that does not open is our fault: nothing is sent, no attempt is counted",
    async () => {
      const endpoint = await bench.endpoint("test.sealed");
      await sql`
      update private.webhook_secrets set key_id = 'k0' where endpoint_id = ${endpoint.id}`;
      await bench.record("test.sealed", 3);
      await eventually(
        "they are put off",
        async () => (await bench.deliveries(endpoint)).every(({ due_in_seconds: due }) => due > 50),
      );
      const deliveries = await bench.deliveries(endpoint);
      assert.deepEqual(
        deliveries.map(({ state, attempts }) => [state, attempts]),
        Array(3).fill(["pending", 0]),
      );
      assert.equal(bench.at(endpoint).length, 0);
    },
  );

  await step("stuck receivers hold up nobody else", async () => {
    const stuck = await Promise.all(
      Array.from({ length: 40 }, (_, i) => bench.endpoint(`test.stuck_${i}`, bench.never)),
    );
    for (let i = 0; i < stuck.length; i++) await bench.record(`test.stuck_${i}`, 3);
    await eventually(
      "they are stuck",
      () => stuck.every((endpoint) => bench.at(endpoint).length > 0),
    );
    const lively = await bench.endpoint("test.lively");
    const began = Date.now();
    await bench.record("test.lively", 20);
    await eventually("the other one has all", () => bench.at(lively).length === 20);
    assert.ok(Date.now() - began < 2_000, `took ${Date.now() - began} ms`);
  });

  await step(
    "a worker killed with -9 delays its deliveries by seconds; one that is stopped gives them back",
    async () => {
      const slow = () => new Promise<Response>((done) => setTimeout(() => done(status(204)()), 30));
      const endpoint = await bench.endpoint("test.killed", slow);
      await bench.record("test.killed", 600);
      await eventually("they are being sent", () => bench.at(endpoint).length > 50);
      await worker.signal("SIGKILL");
      const killedAt = Date.now();
      const heir = await bench.startWorker();
      await eventually(
        "all are delivered",
        async () => (await bench.deliveries(endpoint)).every(({ state }) => state === "delivered"),
        15_000,
      );
      assert.ok(Date.now() - killedAt < 10_000, `after ${Date.now() - killedAt} ms`);
      const ids = bench.at(endpoint).map(({ headers }) => headers["webhook-id"]);
      assert.equal(new Set(ids).size, 600);
      assert.ok(ids.length <= 600 + 400, `${ids.length - 600} were sent twice`);
      // Forty receivers still do not answer: what is under way gets 5 s, then it is given back.
      const stoppedAt = Date.now();
      assert.equal((await heir.signal("SIGTERM")).code, 0);
      assert.ok(Date.now() - stoppedAt < 8_000, `stopped after ${Date.now() - stoppedAt} ms`);
      const [held] = await sql`
      select (select count(*) from webhook_endpoint_states where pump is not null)::int as pumps,
             (select count(*) from graphile_worker._private_jobs where locked_at is not null)::int as jobs`;
      assert.deepEqual({ ...held }, { pumps: 0, jobs: 0 });
    },
  );
});
