// Keys come and go while PostgREST runs: its db-pre-config reads them, a NOTIFY tells it that they changed.
import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { createDatabase } from "../support/database.ts";
import { startPostgrest } from "../support/postgrest.ts";
import { running } from "../support/stack.ts";

const issuer = "https://issuer.example";
const audience = "gatehouse";

interface Key {
  publicJwk: JWK;
  token(): Promise<string>;
}

Deno.test("a key is added, rotated and removed with no restart of PostgREST", async () => {
  await using database = await createDatabase();
  const { sql } = database;
  const [old, next] = [await newKey("k1"), await newKey("k2")];
  await sql`select private.put_issuer(${issuer}, 'gatehouse', ${audience}, ${issuer + "/keys"})`;
  const publish = (...keys: Key[]) =>
    sql`select private.put_verification_keys(${issuer}, ${
      sql.json(keys.map(({ publicJwk }) => publicJwk) as never)
    })`;
  await publish(old);
  await using postgrest = await startPostgrest(database.url("authenticator"));
  const [oldToken, nextToken] = [await old.token(), await next.token()];
  const ask = (token: string) => status(postgrest.url, token);

  assert.deepEqual([await ask(oldToken), await ask(nextToken)], [200, 401]);
  await publish(old, next); // published before it signs
  await becomes(200, () => ask(nextToken));
  assert.equal(await ask(oldToken), 200);
  await publish(next); // retired
  await becomes(401, () => ask(oldToken));
  assert.equal(await ask(nextToken), 200);
  await sql`select private.put_verification_keys(${issuer}, '[]')`; // an issuer that answers nothing
  assert.equal(await ask(nextToken), 200);
  assert.equal((await running([postgrest])).length, 1);
});

async function newKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  return {
    publicJwk: { ...await exportJWK(publicKey), kid, alg: "ES256", use: "sig" },
    token: () =>
      new SignJWT({ role: "anon" })
        .setProtectedHeader({ alg: "ES256", kid })
        .setIssuer(issuer).setAudience(audience).setIssuedAt().setExpirationTime("5m")
        .sign(privateKey),
  };
}

async function status(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/`, { headers: { authorization: `Bearer ${token}` } });
  await response.body?.cancel();
  return response.status;
}

/** PostgREST hears of it a moment after the commit (13–49 ms when measured). */
async function becomes(expected: number, ask: () => Promise<number>): Promise<void> {
  let seen: number | undefined;
  for (const end = Date.now() + 10_000; Date.now() < end;) {
    if ((seen = await ask()) === expected) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(seen, expected);
}
