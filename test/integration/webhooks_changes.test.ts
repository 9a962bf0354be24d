// An endpoint that is moved, removed or goes on after an outage, with a real receiver and a worker that sends.
import assert from "node:assert/strict";
import { bearer, claims, tenants } from "../support/actors.ts";
import { eventually } from "../support/eventually.ts";
import { arrange, receive } from "./functions_support.ts";
import { sleep, startChild } from "./worker_support.ts";

Deno.test("an endpoint is moved, removed, and goes on after an outage", async (t) => {
  const arranged = await arrange();
  const { sql, url: urlOf } = arranged.database;
  const { app } = await import("../../functions/webhooks/app.ts");
  const worker = startChild(urlOf("gatehouse_worker"), "deliveries", {
    ...arranged.environment,
    LOG_LEVEL: "info", // else it does not say when it is ready
  });
  await worker.printed("worker ready");
  const call = async (
    method: string,
    path: string,
    content: object | null = {},
    by: "alice" | "eve" = "alice",
  ) => {
    const response = await app.request(`/webhooks/endpoints${path}`, {
      method,
      ...(content && { body: JSON.stringify({ tenantId: tenants.A, ...content }) }),
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${await arranged.token(by)}`,
      },
    });
    const json = response.status === 204 ? null : await response.json();
    return { status: response.status, json, slug: json?.type?.split(":").pop() };
  };
  const remove = (id: string, tenant: string = tenants.A, by: "alice" | "eve" = "alice") =>
    call("DELETE", `/${id}?tenantId=${tenant}`, null, by);
  const make = async (url: string, more = {}) =>
    (await call("POST", "", { url, eventTypes: ["custom.*"], ...more })).json.id as string;
  const record = (n = 1) =>
    sql`
      select private.record_event(${tenants.A}, 'custom.done', '[{"kind": "test"}]', jsonb_build_object('n', n))
        from generate_series(1, ${n}) n`;

  await t.step("moved: events go to the new address, and headers to no other host", async () => {
    await using before = receive();
    await using after = receive();
    const id = await make(before.url, { headers: { authorization: "Bearer hunter2" } });
    await record();
    await eventually("it arrived at the old one", () => before.received.length === 1);
    assert.equal(before.received[0]!.headers.authorization, "Bearer hunter2");

    const refused = await call("PATCH", `/${id}`, { url: "http://10.0.0.1/" });
    assert.deepEqual([refused.status, refused.slug], [422, "address_refused"]);
    assert.equal(refused.json.errors[0].pointer, "#/url");
    for (
      const [content, slug] of [[{}, "not_allowed"], [
        { tenantId: tenants.E },
        "endpoint_not_found",
      ]]
    ) {
      const hers = await call("PATCH", `/${id}`, { url: after.url, ...content as object }, "eve");
      assert.equal(hers.slug, slug);
    }

    const moved = await call("PATCH", `/${id}`, { url: after.url });
    assert.deepEqual([moved.status, moved.json.url, moved.json.headerNames], [200, after.url, []]);
    await record();
    await eventually("it arrived at the new one", () => after.received.length === 1);
    assert.equal(after.received[0]!.headers.authorization, undefined);
    assert.equal(before.received.length, 1);

    const given = await call("PATCH", `/${id}`, { url: before.url, headers: { "X-Key": "new" } });
    assert.deepEqual(given.json.headerNames, ["x-key"]);
    await record();
    await eventually("it arrived with its new header", () => before.received.length === 2);
    assert.equal(before.received[1]!.headers["x-key"], "new");
    await remove(id);
  });

  await t.step("removed: nothing is sent any more, and it is there for nobody", async () => {
    let down = true;
    await using receiver = receive(() => new Response(null, { status: down ? 500 : 204 }));
    const id = await make(receiver.url, { retrySchedule: [1] });
    await record(3);
    await eventually("all three were tried", () => receiver.received.length >= 3);
    for (const [tenant, slug] of [[tenants.A, "not_allowed"], [tenants.E, "endpoint_not_found"]]) {
      assert.equal((await remove(id, tenant, "eve")).slug, slug);
    }
    assert.equal((await call("DELETE", `/${id}`, null)).slug, "invalid_request");
    down = false;
    assert.equal((await remove(id)).status, 204);
    assert.equal((await remove(id)).status, 204);
    await sleep(500); // what was on its way has arrived
    const sent = receiver.received.length;
    await record(3);
    await sleep(2_500); // longer than the schedule
    assert.equal(receiver.received.length, sent);
    const waiting = await sql`
      select from public.webhook_deliveries where endpoint_id = ${id} and state = 'pending'`;
    assert.equal(waiting.length, 0);
    for (
      const [method, path, content] of [
        ["POST", "/test", {}],
        ["POST", "/rotate", {}],
        ["PUT", "/headers", { headers: {} }],
        ["PATCH", "", { url: receiver.url }],
      ] as const
    ) {
      const gone = await call(method, `/${id}${path}`, content);
      assert.deepEqual([gone.status, gone.slug], [404, "endpoint_not_found"], path);
    }
    assert.equal((await remove(crypto.randomUUID())).slug, "endpoint_not_found");
  });

  await t.step("resumed: what a receiver missed while it was down arrives at once", async () => {
    let down = true;
    await using receiver = receive(() => new Response(null, { status: down ? 503 : 204 }));
    const id = await make(receiver.url, { retrySchedule: [3_600] });
    await record(12);
    const open = async () =>
      (await sql`select from public.webhook_endpoint_states
        where endpoint_id = ${id} and circuit = 'open'`).length === 1;
    await eventually("its circuit is open", open);
    const rest = async () =>
      (await sql`
        select count(*)::int as n from public.webhook_deliveries
         where endpoint_id = ${id} and state = 'pending' and next_attempt_at > now()`)[0]!.n;
    await eventually("all wait for an hour", async () => await rest() === 12);
    down = false;
    const before = receiver.received.length;
    const { asCaller } = await import("../../functions/_shared/db.ts");
    const held = claims("alice")!;
    const alice = { claims: held, token: "", headers: { authorization: bearer(held) } };
    const resumed = await asCaller(
      alice as never,
      async (tx) => (await tx`select public.resume_endpoint(${tenants.A}, ${id}) as n`)[0]!.n,
    );
    assert.equal(resumed, 12);
    await eventually("all arrived", () => receiver.received.length >= before + 12);
    const ids = receiver.received.slice(before).map(({ headers }) => headers["webhook-id"]);
    assert.equal(new Set(ids).size, 12);
    await remove(id);
  });

  await worker.signal("SIGTERM");
  const { closeDatabase } = await import("../../functions/_shared/db.ts");
  const { door } = await import("../../functions/_shared/outbound.ts");
  await closeDatabase();
  (await door()).close();
  await arranged.dispose();
});
