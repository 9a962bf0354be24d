import assert from "node:assert/strict";
import { importJWK, jwtVerify } from "jose";
import { ConfigError } from "../../../functions/_shared/config.ts";
import {
  generateSigningKey,
  maxLifetimeSeconds,
  parseSigningKey,
  signAnonymousKey,
  signToken,
} from "../../../functions/session/signing_key.ts";

const jwk = await generateSigningKey();
const key = await parseSigningKey(JSON.stringify(jwk));
const names = { issuer: "https://id.example/functions/v1/session", audience: "gatehouse" };
const verify = async (token: string) =>
  await jwtVerify(token, await importJWK(key.publicJwk, "ES256"), {
    algorithms: ["ES256"],
    ...names,
  });

Deno.test("what is published holds no private part", () => {
  assert.deepEqual(Object.keys(key.publicJwk).sort(), [
    "alg",
    "crv",
    "kid",
    "kty",
    "use",
    "x",
    "y",
  ]);
  assert.equal(key.publicJwk.kid, jwk.kid);
});

Deno.test("a token names issuer, audience, subject and key, and ends within ten minutes", async () => {
  const content = { ...names, subject: "s1", lifetimeSeconds: 60, claims: { client_id: "c" } };
  const { payload, protectedHeader } = await verify(await signToken(key, content));
  assert.equal(protectedHeader.kid, key.kid);
  assert.deepEqual([payload.sub, payload.client_id], ["s1", "c"]);
  assert.equal(payload.exp! - payload.iat!, 60);
  assert.ok(payload.jti);
  for (const lifetimeSeconds of [0, -1, maxLifetimeSeconds + 1, NaN, Infinity]) {
    await assert.rejects(signToken(key, { ...content, lifetimeSeconds }), RangeError);
  }
});

Deno.test("the anonymous key names a role and nobody", async () => {
  const { payload } = await verify(await signAnonymousKey(key, names));
  assert.equal(payload.role, "anon");
  assert.equal(payload.sub, undefined);
  assert.ok(payload.exp! - payload.iat! > 9 * 365 * 86_400);
});

Deno.test("a file that is no private EC key is refused and not quoted", async () => {
  const { d: secret, ...publicOnly } = jwk;
  const wrong = [
    "",
    "x",
    "{}",
    JSON.stringify(publicOnly),
    JSON.stringify({ ...jwk, kid: undefined }),
  ];
  for (const text of wrong) {
    await assert.rejects(
      parseSigningKey(text),
      (error) => error instanceof ConfigError && !error.message.includes(secret!.slice(0, 20)),
    );
  }
});
