// What an endpoint may ask for, seen from its receiver: kinds of signatures, headers, an end to it all, a schedule of its own.
import assert from "node:assert/strict";
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { importVerificationKey } from "../../functions/_shared/signing_keys.ts";
import { verifyWebhook } from "../../functions/_shared/signing_verify.ts";
import { Deliveries, type Received } from "./deliveries_support.ts";
import { eventually } from "../support/eventually.ts";
import { sleep } from "./worker_support.ts";

const verifies = async (received: Received, key: string) =>
  await verifyWebhook(received, [await importVerificationKey(key)]);

Deno.test("endpoints get what they ask for", async (t) => {
  await using bench = await Deliveries.start();
  const { sql } = bench.database;
  await bench.startWorker();

  await t.step("v1a: Ed25519, verified with the public key that the tenant reads", async () => {
    const endpoint = await bench.endpoint("test.v1a");
    const { publicKey } = await bench.setScheme(endpoint.id, "v1a");
    await bench.record("test.v1a");
    await eventually("it is received", () => bench.at(endpoint).length > 0);
    const [received] = bench.at(endpoint);
    assert.match(received!.headers["webhook-signature"]!, /^v1a,[\w+/=]{88}$/);
    assert.equal(await verifies(received!, publicKey!), true);
  });

  await t.step("both: each kind in the same header, for the libraries too", async () => {
    const endpoint = await bench.endpoint("test.both");
    const { secret, publicKey } = await bench.setScheme(endpoint.id, "both");
    await bench.record("test.both");
    await eventually("it is received", () => bench.at(endpoint).length > 0);
    const [received] = bench.at(endpoint);
    assert.equal(received!.headers["webhook-signature"]!.split(" ").length, 2);
    new Webhook(secret!).verify(received!.body, received!.headers);
    new SvixWebhook(secret!).verify(received!.body, received!.headers);
    assert.equal(await verifies(received!, publicKey!), true);
  });

  await t.step("from one scheme to the other: while it overlaps both hold", async () => {
    const endpoint = await bench.endpoint("test.moved");
    const { publicKey } = await bench.setScheme(endpoint.id, "v1a", 600);
    await bench.record("test.moved");
    await eventually("it is received", () => bench.at(endpoint).length > 0);
    const [received] = bench.at(endpoint);
    new Webhook(endpoint.secret).verify(received!.body, received!.headers);
    assert.equal(await verifies(received!, publicKey!), true);
    const other = await bench.setScheme(endpoint.id, "v1a", 600);
    await bench.record("test.moved");
    await eventually("the next is received", () => bench.at(endpoint).length > 1);
    const next = bench.at(endpoint)[1]!;
    for (const key of [publicKey!, other.publicKey!]) assert.equal(await verifies(next, key), true);
  });

  await t.step("its own headers come with each request, and replace none of ours", async () => {
    const endpoint = await bench.endpoint("test.headers");
    await bench.setHeaders(endpoint.id, { authorization: "Bearer hunter2", "x-shop": "acme" });
    await bench.record("test.headers");
    await eventually("it is received", () => bench.at(endpoint).length > 0);
    const { headers } = bench.at(endpoint)[0]!;
    assert.deepEqual([headers.authorization, headers["x-shop"]], ["Bearer hunter2", "acme"]);
    const everywhere = await sql`
      select to_jsonb(e)::text as text from audit_events e
      union all select to_jsonb(w)::text from webhook_endpoints w
      union all select to_jsonb(a)::text from webhook_attempts a`;
    assert.ok(everywhere.every(({ text }) => !text.includes("hunter2")));
  });

  await t.step(
    "the log keeps what is answered with a 200 too, and nothing secret of it",
    async () => {
      const endpoint = await bench.endpoint(
        "test.answered",
        ({ headers }) =>
          new Response(JSON.stringify({ got: headers.authorization }) + "é".repeat(4_000), {
            headers: { "x-request-id": "7", "set-cookie": "a=b", "x-api-key": "mine" },
          }),
      );
      await bench.setHeaders(endpoint.id, { authorization: "Bearer hunter2hunter2" });
      await bench.record("test.answered");
      await eventually("it is settled", async () => (await bench.attempts(endpoint)).length === 1);
      const [attempt] = await bench.attempts(endpoint);
      assert.equal(attempt!.status, 200);
      assert.equal(attempt!.response_headers["x-request-id"], "7");
      const named = Object.keys(attempt!.response_headers);
      assert.ok(named.includes("content-type"), named.join());
      assert.ok(!named.includes("set-cookie") && !named.includes("x-api-key"), named.join());
      assert.match(attempt!.response_body, /^\{"got":"\[redacted\]"\}é{2000,2050}$/);
    },
  );

  await t.step("webhook-delivery: disable ends it, with a 200 too", async () => {
    const endpoint = await bench.endpoint(
      "test.asked",
      () => new Response(null, { status: 200, headers: { "webhook-delivery": "disable" } }),
    );
    await bench.record("test.asked");
    const row = async () =>
      (await sql`select enabled, disabled_reason from webhook_endpoints where id = ${endpoint.id}`)[
        0
      ]!;
    await eventually("it is disabled", async () => !(await row()).enabled);
    assert.equal((await row()).disabled_reason, "asked");
    assert.equal((await bench.deliveries(endpoint))[0]!.state, "delivered");
  });

  await t.step("webhook-delivery: abort-message gives up this one and goes on", async () => {
    const endpoint = await bench.endpoint(
      "test.aborted",
      () => new Response(null, { status: 500, headers: { "webhook-delivery": "abort-message" } }),
    );
    await bench.record("test.aborted");
    await eventually(
      "it is dead",
      async () => (await bench.deliveries(endpoint))[0]!.state === "dead",
    );
  });

  await t.step("its own schedule: again after a second, then dead", async () => {
    const endpoint = await bench.endpoint(
      "test.scheduled",
      () => new Response(null, { status: 500 }),
    );
    await sql`update webhook_endpoints set retry_schedule = '{1}' where id = ${endpoint.id}`;
    await bench.record("test.scheduled");
    await eventually(
      "it is dead",
      async () => (await bench.deliveries(endpoint))[0]!.state === "dead",
    );
    const [first, second] = bench.at(endpoint);
    assert.ok(second!.at - first!.at > 750 && second!.at - first!.at < 2_500);
  });

  await t.step("a receiver that fails every time is left alone after ten", async () => {
    const endpoint = await bench.endpoint(
      "test.failing",
      () => new Response(null, { status: 500 }),
    );
    await bench.record("test.failing", 300);
    const circuit = async () =>
      (await sql`select circuit from webhook_endpoint_states where endpoint_id = ${endpoint.id}`)[
        0
      ]!
        .circuit;
    await eventually("its circuit opens", async () => await circuit() === "open");
    await sleep(1_000);
    assert.ok(bench.at(endpoint).length <= 18, `${bench.at(endpoint).length} requests`);
    const untouched = (await bench.deliveries(endpoint)).filter(({ attempts }) => attempts === 0);
    assert.ok(untouched.length >= 300 - 18);
  });

  await t.step("a filter: only what it wants arrives", async () => {
    const endpoint = await bench.endpoint("test.filtered");
    await sql`update webhook_endpoints set payload_filter = '$.n == 7' where id = ${endpoint.id}`;
    await bench.record("test.filtered", 500);
    await eventually(
      "the rest is settled",
      async () => (await bench.deliveries(endpoint)).every(({ state }) => state !== "pending"),
    );
    assert.deepEqual(bench.at(endpoint).map(({ body }) => JSON.parse(body).data.n), [7]);
  });
});

Deno.test("a dead receiver with a long line costs the others nothing", async () => {
  await using bench = await Deliveries.start();
  const { sql } = bench.database;
  const timed = async (name: string) => {
    const endpoint = await bench.endpoint(name);
    const began = Date.now();
    await bench.record(name, 400);
    await eventually("all are there", () => bench.at(endpoint).length === 400);
    return Date.now() - began;
  };
  await bench.startWorker();
  const alone = await timed("test.alone");
  const dead = await bench.endpoint("test.dead", undefined, "http://127.0.0.1:18999/x");
  await bench.record("test.dead", 20_000);
  await eventually("it is known", async () => (await bench.attempts(dead)).length > 0);
  const beside = await timed("test.beside");
  assert.ok(beside < alone * 2 + 1_000, `${beside} ms beside it, ${alone} ms alone`);
  const [row] = await sql`
    select count(*)::int as n from webhook_deliveries where endpoint_id = ${dead.id} and attempts > 0`;
  assert.ok(row!.n <= 30, `${row!.n} attempts`);
});
