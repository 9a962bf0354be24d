// POST /webhooks/endpoints and what hangs on it: all that an endpoint may ask for, its keys, its headers. Who may is in functions.test.ts.
import assert from "node:assert/strict";
import { Webhook } from "standardwebhooks";
import { importVerificationKey } from "../../functions/_shared/signing_keys.ts";
import { verifyWebhook } from "../../functions/_shared/signing_verify.ts";
import { people, tenants } from "../support/actors.ts";
import { arrange, receive } from "./functions_support.ts";

Deno.test("an administrator makes endpoints with all they may ask for", async (t) => {
  const arranged = await arrange();
  const { sql } = arranged.database;
  const { app } = await import("../../functions/webhooks/app.ts");
  const token = await arranged.token("alice");
  const call = async (method: string, path: string, content: object, bearer = token) => {
    const response = await app.request(`/webhooks/endpoints${path}`, {
      method,
      body: JSON.stringify({ tenantId: tenants.A, ...content }),
      headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
    });
    const json = await response.json();
    return { status: response.status, json, slug: json.type?.split(":").pop() };
  };
  const url = "http://127.0.0.1:9999/hook";

  await t.step(
    "defaults: v1, parallel, the standard's schedule, no rate, filter or header",
    async () => {
      const { status, json } = await call("POST", "", { url });
      assert.equal(status, 201);
      assert.match(json.secret, /^whsec_/);
      assert.deepEqual(
        [json.signatureScheme, json.publicKey, json.ordering, json.ratePerSecond],
        ["v1", null, "parallel", null],
      );
      assert.deepEqual([json.payloadFilter, json.headerNames], [null, []]);
      assert.equal(json.retrySchedule.length, 9);
    },
  );

  await t.step("everything chosen: it is answered, and nothing secret is", async () => {
    const chosen = {
      url,
      signatureScheme: "both",
      retrySchedule: [5, 60],
      ordering: "strict",
      ratePerSecond: 50,
      payloadFilter: '$.after.name == "shop"',
    };
    const { status, json } = await call("POST", "", {
      ...chosen,
      headers: { Authorization: "Bearer hunter2" },
    });
    assert.equal(status, 201);
    for (const [name, value] of Object.entries(chosen)) assert.deepEqual(json[name], value);
    assert.deepEqual(json.headerNames, ["authorization"]);
    assert.match(json.secret, /^whsec_/);
    assert.match(json.publicKey, /^whpk_/);
    const text = JSON.stringify(json);
    assert.ok(!text.includes("hunter2") && !text.includes("whsk_"));
    const [row] = await sql`
      select e.public_key, (select array_agg(scheme order by scheme) from private.webhook_secrets s where s.endpoint_id = e.id) as schemes
        from public.webhook_endpoints e where id = ${json.id}`;
    assert.deepEqual({ ...row }, { public_key: json.publicKey, schemes: ["v1", "v1a"] });
  });

  await t.step("what is out of bounds is refused with its slug, and nothing is made", async () => {
    const before = await sql`select from public.webhook_endpoints`;
    const wrong: [object, string][] = [
      [{ signatureScheme: "v2" }, "invalid_request"],
      [{ retrySchedule: [0] }, "invalid_request"],
      [{ retrySchedule: Array(21).fill(5) }, "invalid_request"],
      [{ ordering: "loose" }, "invalid_request"],
      [{ ratePerSecond: 0 }, "invalid_request"],
      [{ ratePerSecond: 1001 }, "invalid_request"],
      [{ payloadFilter: "$.**" }, "payload_filter_refused"],
      [{ payloadFilter: "not a path" }, "payload_filter_refused"],
      [{ headers: { "webhook-id": "x" } }, "invalid_request"],
      [{ headers: { Host: "x" } }, "invalid_request"],
      [{ headers: { "x-a": "two\r\nx-b: lines" } }, "invalid_request"],
      [{ headers: { "x a": "b" } }, "invalid_request"],
      [{ headers: { "x-a": "" } }, "invalid_request"],
      [
        { headers: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, "v"])) },
        "invalid_request",
      ],
    ];
    for (const [more, slug] of wrong) {
      const { status, slug: got } = await call("POST", "", { url, ...more });
      assert.deepEqual([status, got], [422, slug], JSON.stringify(more));
    }
    assert.equal((await sql`select from public.webhook_endpoints`).length, before.length);
  });

  await t.step("rotation moves an endpoint to v1a; until the overlap ends both hold", async () => {
    await using receiver = receive();
    const made = (await call("POST", "", { url: receiver.url })).json;
    const path = `/${made.id}`;
    const rotated = await call("POST", `${path}/rotate`, { signatureScheme: "v1a" });
    assert.deepEqual(Object.keys(rotated.json), ["signatureScheme", "publicKey"]);
    await call("POST", `${path}/test`, {});
    const received = receiver.received.at(-1)!;
    new Webhook(made.secret).verify(received.body, received.headers);
    const key = await importVerificationKey(rotated.json.publicKey);
    assert.equal(await verifyWebhook(received, [key]), true);
    // Without a word it stays of its scheme.
    const next = await call("POST", `${path}/rotate`, { overlapSeconds: 0 });
    assert.equal(next.json.signatureScheme, "v1a");
    await call("POST", `${path}/test`, {});
    const last = receiver.received.at(-1)!;
    assert.match(last.headers["webhook-signature"]!, /^v1a,\S+$/);
    assert.equal(await verifyWebhook(last, [key]), false);
    const newest = await importVerificationKey(next.json.publicKey);
    assert.equal(await verifyWebhook(last, [newest]), true);
  });

  await t.step(
    "headers are replaced whole, come with a test event, and are eve's in no way",
    async () => {
      await using receiver = receive();
      const made = (await call("POST", "", { url: receiver.url, headers: { "x-one": "1" } })).json;
      const put = await call("PUT", `/${made.id}/headers`, { headers: { "X-Two": "2 3" } });
      assert.deepEqual([put.status, put.json], [200, { headerNames: ["x-two"] }]);
      await call("POST", `/${made.id}/test`, {});
      const { headers } = receiver.received.at(-1)!;
      assert.deepEqual([headers["x-one"], headers["x-two"]], [undefined, "2 3"]);
      const eve = await arranged.token("eve");
      const hers = await call("PUT", `/${made.id}/headers`, { headers: { "x-eve": "1" } }, eve);
      assert.deepEqual([hers.status, hers.slug], [403, "not_allowed"]);
      const gone = await call("PUT", `/${crypto.randomUUID()}/headers`, { headers: {} });
      assert.deepEqual([gone.status, gone.slug], [404, "endpoint_not_found"]);
      assert.deepEqual((await call("PUT", `/${made.id}/headers`, { headers: {} })).json, {
        headerNames: [],
      });
    },
  );

  await t.step(
    "a test event is as the worker would send it, and on record with its outcome",
    async () => {
      await using receiver = receive();
      const { id, secret } = (await call("POST", "", { url: receiver.url })).json;
      const sent = await call("POST", `/${id}/test`, {});
      assert.deepEqual([sent.status, sent.json.delivered], [200, true]);
      const { headers, body } = receiver.received.at(-1)!;
      const event = new Webhook(secret).verify(body, headers) as Record<string, unknown>;
      const { timestamp, ...rest } = event;
      assert.deepEqual(Object.keys(event), [
        ...["type", "timestamp", "data", "id", "tenant_id", "version", "actor", "targets"],
      ]);
      assert.deepEqual(rest, {
        type: "webhook_endpoint.test",
        data: { endpoint_id: id },
        id: headers["webhook-id"],
        tenant_id: tenants.A,
        version: 1,
        actor: { kind: "user", id: people.alice.id },
        targets: [{ kind: "webhook_endpoint", id }],
      });
      assert.match(timestamp as string, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.equal(headers["user-agent"], "Gatehouse-Webhooks/1");

      await call("POST", `/${id}/test`, { eventType: "user.password_changed" });
      const example = JSON.parse(receiver.received.at(-1)!.body);
      assert.deepEqual([example.type, example.data, example.targets[0].kind], [
        ...["user.password_changed", { change_required: false }, "user"],
      ]);
      for (const eventType of ["user.*", "custom.done", "user.exploded"]) {
        const { status, slug } = await call("POST", `/${id}/test`, { eventType });
        assert.deepEqual([status, slug], [422, "event_type_unknown"], eventType);
      }
      await receiver[Symbol.asyncDispose]();
      await call("POST", `/${id}/test`, {});
      const events = await sql`
      select data from public.audit_events
       where type = 'webhook_endpoint.tested' and targets -> 0 ->> 'id' = ${id}
       order by recorded_at`;
      assert.deepEqual(events.map(({ data }) => data), [
        { status: 200, error_class: null },
        { status: 200, error_class: null },
        { status: null, error_class: "connect_failed" },
      ]);
    },
  );

  await t.step("ten tests of an endpoint in a minute, however many ask at once", async () => {
    await using receiver = receive();
    const [one, other] = [
      (await call("POST", "", { url: receiver.url })).json.id,
      (await call("POST", "", { url: receiver.url })).json.id,
    ];
    const test = (id: string) =>
      app.request(`/webhooks/endpoints/${id}/test`, {
        method: "POST",
        body: JSON.stringify({ tenantId: tenants.A }),
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      });
    const answers = await Promise.all(Array.from({ length: 13 }, () => test(one)));
    const refused = answers.filter(({ status }) => status === 429);
    assert.deepEqual([refused.length, receiver.received.length], [3, 10]);
    for (const answer of refused) {
      const seconds = Number(answer.headers.get("retry-after"));
      assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
      assert.equal((await answer.json()).type, "urn:gatehouse:problem:webhook_tests_too_many");
    }
    assert.equal((await test(other)).status, 200);
    await sql`
      update private.webhook_tests
         set begun_ats = array(select t - interval '1 minute' from unnest(begun_ats) t)`;
    assert.equal((await test(one)).status, 200);
  });

  const { closeDatabase } = await import("../../functions/_shared/db.ts");
  const { door } = await import("../../functions/_shared/outbound.ts");
  await closeDatabase();
  (await door()).close();
  await arranged.dispose();
});
