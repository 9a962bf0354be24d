import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { closeDatabase } from "../../functions/_shared/db.ts";
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

/** A token as ZITADEL makes it, signed with a key that the database was told to believe. */
async function tokenOfAlice(house: House, tenantId: string): Promise<string> {
  const { sql } = house.database;
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: "alice", use: "sig", alg: "RS256" };
  await sql`select private.put_verification_keys(${house.issuer}, ${sql.json([{ ...jwk }])})`;
  const [facts] = await sql`
    select private.get_setting('zitadel.project_id') as project,
      private.get_setting('zitadel.portal_client_id') as client,
      (select u.subject from public.assignments a join public.users u on u.id = a.user_id
        where a.tenant_id = ${tenantId}) as subject`;
  const { project, client, subject } = facts!;
  return await new SignJWT({ client_id: client, jti: "V2_1-at_1" })
    .setProtectedHeader({ alg: "RS256", kid: "alice", typ: "JWT" })
    .setIssuer(house.issuer).setSubject(subject).setAudience([client, project])
    .setIssuedAt().setExpirationTime("5m").sign(privateKey);
}

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
