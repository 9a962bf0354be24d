// WEB: test events: each type of the catalogue as others are written, and by whom they are asked for.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { as, people, refusal, tenants } from "../support/actors.ts";
import { validatorOf } from "../support/catalogue.ts";
import { asOwner, eventsOf } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";
import { claim, emit, endpoint, ids } from "./webhook_cases.ts";

const database = suiteDatabase();

const begin = async (tx: TransactionSql, type: string, tenant: string = tenants.A) =>
  (await tx`select private.begin_webhook_test(${tenant}, ${ids.A}, ${type}) as one`)[0]!.one;

Deno.test("WEB-97 an example of every type has the members of a real delivery, in their order, and data as its schema says", async () => {
  await as(database().sql, "alice", async (tx) => {
    const real = await asOwner(tx, async () => {
      await emit(tx, 1, "test.real");
      return JSON.parse((await claim(tx))!.deliveries[0]!.body);
    });
    const types = await tx<{ name: string; version: number; schema: Record<string, unknown> }[]>`
      select name, version, schema from public.event_types order by name`;
    assert.ok(types.length > 50);
    for (const { name, version, schema } of types) {
      await asOwner(tx, () => tx`delete from private.webhook_tests`);
      const { eventId, body, url } = await begin(tx, name);
      const event = JSON.parse(body);
      assert.deepEqual(Object.keys(event), Object.keys(real), name);
      assert.equal(url, "https://hooks.example/");
      assert.deepEqual([event.type, event.version, event.id, event.tenant_id, event.actor], [
        ...[name, version, eventId, tenants.A],
        { kind: "user", id: people.alice.id },
      ]);
      assert.ok(event.targets[0].kind && event.targets[0].id, name);
      const valid = validatorOf(schema);
      assert.ok(valid(event.data), `${name}: ${JSON.stringify(valid.errors)}`);
    }
    await asOwner(tx, async () => {
      assert.deepEqual(await eventsOf(tx, tenants.A, "webhook_endpoint.test%"), []);
    });
  }, { arrange: (tx) => endpoint(tx, "A", ["test.*"]) });
});

Deno.test("WEB-98 the eleventh within a minute waits until the first is a minute ago", async () => {
  await as(database().sql, "alice", async (tx) => {
    for (let n = 0; n < 10; n++) assert.ok((await begin(tx, "webhook_endpoint.test")).body);
    const { waitSeconds, ...nothing } = await begin(tx, "webhook_endpoint.test");
    assert.ok(waitSeconds > 50 && waitSeconds <= 60, String(waitSeconds));
    assert.deepEqual(nothing, {});
    await asOwner(tx, () =>
      tx`
        update private.webhook_tests
           set begun_ats[1] = begun_ats[1] - interval '59 seconds'`);
    assert.ok((await begin(tx, "webhook_endpoint.test")).waitSeconds <= 1);
    await asOwner(tx, () =>
      tx`
        update private.webhook_tests
           set begun_ats[1] = begun_ats[1] - interval '1 second'`);
    assert.ok((await begin(tx, "webhook_endpoint.test")).body);
    assert.ok((await begin(tx, "webhook_endpoint.test")).waitSeconds > 50);
  }, { arrange: (tx) => endpoint(tx, "A") });
});

for (const actor of ["eve", "bob", "audrey", "visitor", "mallory", "sam"] as const) {
  Deno.test(`WEB-92 ${actor} neither tests an endpoint of tenant A nor says that it was tested`, async () => {
    await as(database().sql, actor, async (tx) => {
      const record = (s: TransactionSql, tenant: string = tenants.A) =>
        s`select private.record_webhook_test(${tenant}, ${ids.A}, 200, null)`;
      const type = "webhook_endpoint.test";
      const refused = (run: (s: TransactionSql) => Promise<unknown>, slug: string, status = 403) =>
        assert.rejects(tx.savepoint(run), refusal(slug, status));
      await refused((s) => begin(s, type), "not_allowed");
      await refused((s) => record(s), "not_allowed");
      if (actor === "eve") { // by naming her own tenant
        await refused((s) => begin(s, type, tenants.E), "endpoint_not_found", 404);
        await refused((s) => record(s, tenants.E), "endpoint_not_found", 404);
      }
      await asOwner(tx, async () => {
        assert.equal((await tx`select from private.webhook_tests`).length, 0);
      });
    }, { arrange: (tx) => endpoint(tx, "A") });
  });
}
