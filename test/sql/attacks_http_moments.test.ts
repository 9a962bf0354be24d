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
