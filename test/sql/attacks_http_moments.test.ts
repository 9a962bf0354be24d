// HTTP: what changes while a token lives binds on the next request: signed out, disabled, suspended, a key removed.
import assert from "node:assert/strict";
import { apps, issuer, people, tenants } from "../support/actors.ts";
import { type House, newKey, openHouse, refusedByGrant } from "./attacks_http_support.ts";

let house: House;
Deno.test.beforeAll(async () => {
  house = await openHouse();
});
Deno.test.afterAll(async () => await house[Symbol.asyncDispose]());

Deno.test("HTTP-62 sign out everywhere refuses the old token on the next request, and takes a new one", async () => {
  const old = await house.token("audrey");
  assert.equal(await house.reads(old), "tenant-a");
  const { status } = await house.ask("/rpc/sign_out_everywhere", old, {
    method: "POST",
    body: "{}",
  });
  assert.equal(status, 204);
  assert.equal(await house.reads(old), "401 token_revoked");
  const later = Math.floor(Date.now() / 1000) + 1;
  assert.equal(
    await house.reads(await house.token("audrey", { iat: later, nbf: later - 5 })),
    "tenant-a",
  );
});

Deno.test("HTTP-63 a user who is disabled is out on the next request", async () => {
  const token = await house.token("bob");
  const state = (to: string) =>
    house.sql`update public.users set state = ${to} where id = ${people.bob.id}`;
  await state("disabled");
  assert.equal(await house.reads(token), "401 user_inactive");
  await state("active");
  assert.equal(await house.reads(token), "tenant-a");
});

Deno.test("HTTP-64 a suspended tenant: its application's tokens are out, its administrator looks and does not write", async () => {
  const [visitor, eve] = [
    await house.token("visitor", { client_id: apps.E.clientId }),
    await house.token("eve"),
  ];
  const status = (to: string) =>
    house.sql`update public.tenants set status = ${to} where id = ${tenants.E}`;
  await status("suspended");
  assert.equal(await house.reads(visitor), "403 tenant_suspended");
  assert.equal(await house.reads(eve), "tenant-e");
  const body = JSON.stringify({ tenant_id: tenants.E, name: "late" });
  const refused = await house.ask("/apps", eve, { method: "POST", body });
  assert.equal(`${refused.status} ${refused.slug}`, refusedByGrant);
  await status("active");
  assert.equal((await house.ask("/apps", eve, { method: "POST", body })).status, 201);
});

Deno.test("HTTP-79 the log has the address by the hops that an operator set, from the next request on, and who came in how", async () => {
  const token = await house.token("alice");
  const logged = async (name: string) => {
    const headers = { "x-forwarded-for": "203.0.113.1, 203.0.113.2, 203.0.113.3" };
    const body = JSON.stringify({ tenant_id: tenants.A, name });
    assert.equal((await house.ask("/apps", token, { method: "POST", headers, body })).status, 201);
    const [row] = await house.sql`
      select private.with_personal(e) -> 'context' as context from public.audit_events e
       where type = 'app.created' and data -> 'after' ->> 'name' = ${name}`;
    return [row!.context.address, row!.context.auth_method];
  };
  assert.deepEqual(await logged("one hop"), ["203.0.113.3", "user_session"]);
  await house.sql`select private.put_setting('network.trusted_hops', '2')`;
  assert.deepEqual(await logged("two hops"), ["203.0.113.2", "user_session"]);
});

Deno.test("HTTP-80 a reader beyond the log is answered 409 cursor_ahead; a stranger hears nothing of it", async () => {
  const ask = async (actor: "alice" | "eve") => {
    const body = JSON.stringify({ tenant_id: tenants.A, after_seq: 999_999_999 });
    const token = await house.token(actor);
    const { status, slug } = await house.ask("/rpc/list_events", token, { method: "POST", body });
    return `${status} ${slug}`;
  };
  assert.equal(await ask("alice"), "409 cursor_ahead");
  assert.equal(await ask("eve"), "403 not_allowed");
});

Deno.test("HTTP-65 keys rotate with no restart, and a removed one is refused within a second", async () => {
  const next = await newKey("zitadel-2");
  const [old, fresh] = [await house.token("alice"), await house.token("alice", {}, next)];
  assert.equal(await house.reads(fresh), "401 PGRST301");
  await house.publish(issuer, house.zitadel, next);
  await within(1000, async () => await house.reads(fresh) === "tenant-a");
  assert.equal(await house.reads(old), "tenant-a");
  await house.publish(issuer, next);
  await within(1000, async () => (await house.reads(old)).startsWith("401 "));
  assert.equal(await house.reads(fresh), "tenant-a");
  await house.publish(issuer, house.zitadel);
  await within(1000, async () => await house.reads(old) === "tenant-a");
});

async function within(ms: number, holds: () => Promise<boolean>): Promise<void> {
  const startedAt = performance.now();
  while (!await holds()) {
    assert.ok(performance.now() - startedAt < ms, `not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
