import assert from "node:assert/strict";
import { closeDatabase } from "../../functions/_shared/db.ts";
import { tokenOfAlice } from "./provision_caller.ts";
import { environment, House } from "./provision_support.ts";

Deno.test("PRV-09 a confidential application gets a secret, shown once; the one before is dead", async () => {
  await using house = await House.open();
  using _ = environment({
    LOG_LEVEL: "error",
    GATEHOUSE_PROFILE: "embedded",
    GATEHOUSE_DB_URL: house.database.url("gatehouse_provision"),
    ZITADEL_ISSUER: house.issuer,
    ZITADEL_PROVISIONER_TOKEN_FILE: house.tokenFile,
  });
  const { app } = await import("../../functions/provision/app.ts");
  const { sql } = house.database;
  const tenantId = await house.createTenant({
    slug: "acme",
    admin: { email: "alice@acme.example" },
    apps: [{ name: "Shop", kind: "web" }],
  });
  await house.reconcile(tenantId);
  const [row] = await sql`select id, client_id from public.apps where tenant_id = ${tenantId}`;
  const token = await tokenOfAlice(house, tenantId);

  const ask = async (): Promise<{ clientId: string; clientSecret: string }> => {
    const response = await app.request(`/provision/apps/${row!.id}/secret`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ tenantId }),
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("cache-control"), "no-store");
    return await response.json();
  };
  const first = await ask();
  const second = await ask();
  assert.equal(first.clientId, row!.client_id);
  assert.notEqual(first.clientSecret, second.clientSecret);
  assert.equal(await errorOf(house, first), "invalid_client");
  assert.equal(await errorOf(house, second), "invalid_grant"); // the client is believed, the code is not

  // Nothing of it is kept here: not in a row, not in the log.
  const recorded = await sql`
    select data, targets from public.audit_events where type = 'app.secret_rotated'`;
  assert.equal(recorded.length, 2);
  assert.ok(!JSON.stringify(recorded).includes(second.clientSecret));
  await closeDatabase();
});

/** What ZITADEL's token endpoint says to a client with these credentials and a code that never was. */
async function errorOf(
  house: House,
  { clientId, clientSecret }: { clientId: string; clientSecret: string },
): Promise<string> {
  const response = await fetch(`${house.issuer}/oauth/v2/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: "never",
      redirect_uri: "https://shop.example/callback",
    }),
  });
  return (await response.json()).error;
}
