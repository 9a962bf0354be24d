// What the widget function answers before ZITADEL is asked. With ZITADEL: test/integration/widget.test.ts.
import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { loginClient } from "../../functions/_shared/zitadel/login_client.ts";
import { appOf, makeWorld } from "./widget/world_support.ts";

const issuer = "http://127.0.0.1:9";

/** There is no token for ZITADEL: any question to it fails. */
const app = appOf(makeWorld(), {
  zitadel: loginClient({
    profile: "embedded",
    issuer,
    tokenFile: "/nonexistent",
    platformOrganizationId: () => Promise.resolve(null),
  }),
});

async function assertProblem(response: Response, status: number, slug: string) {
  const problem = await response.json();
  assert.equal(problem.type, `urn:gatehouse:problem:${slug}`);
  assert.equal(response.status, status);
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  app.request(`/widget/flows/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-gatehouse-flow": "V2_1", ...headers },
    body: JSON.stringify(body),
  });

Deno.test("widget function: the script may be kept for ever under its hash, for five minutes without", async () => {
  const plain = await app.request("/widget/gatehouse.js");
  assert.equal(plain.status, 200);
  assert.match(plain.headers.get("content-type")!, /^text\/javascript/);
  assert.equal(plain.headers.get("cache-control"), "public, max-age=300, must-revalidate");
  assert.equal(plain.headers.get("access-control-allow-origin"), "*");
  const hash = JSON.parse(plain.headers.get("etag")!);
  const script = new Uint8Array(await plain.arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", script));
  assert.equal(
    hash,
    digest.toBase64({ alphabet: "base64url", omitPadding: true }).slice(0, 16),
  );

  const hashed = await app.request(`/widget/gatehouse.js?h=${hash}`);
  assert.equal(hashed.headers.get("cache-control"), "public, max-age=31536000, immutable");
  await hashed.body?.cancel();
  const stale = await app.request("/widget/gatehouse.js?h=of-an-old-version");
  assert.equal(stale.headers.get("cache-control"), "public, max-age=300, must-revalidate");
  await stale.body?.cancel();
  const again = await app.request("/widget/gatehouse.js", {
    headers: { "if-none-match": `"${hash}"` },
  });
  assert.equal(again.status, 304);
});

Deno.test("widget function: the sign-in page has exactly its policy, and no address but relative ones", async () => {
  const response = await app.request("/widget/login?authRequest=not%20an%20id");
  assert.equal(response.status, 404);
  assert.equal(
    response.headers.get("content-security-policy"),
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
      "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  );
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("set-cookie"), null);
  const page = await response.text();
  for (const [, address] of page.matchAll(/(?:src|href)="([^"]*)"/g)) {
    assert.match(address!, /^[\w.-]+\?h=[\w-]{16}$/);
  }
  assert.match(page, /<gatehouse-login\s+flow="none"/, "what was asked for is not in the page");
});

Deno.test("widget function: credentials are refused before ZITADEL hears of them unless this browser opened the page", async () => {
  const body = { action: "password", loginName: "vera", password: "secret" };
  await assertProblem(await post("act", body), 403, "browser_mismatch");
  for (
    const origin of ["https://evil.example", "https://id.gatehouse.example.evil.example", "null"]
  ) {
    await assertProblem(await post("act", body, { origin }), 403, "browser_mismatch");
    const open = { mode: "page", authRequest: "V2_1" };
    await assertProblem(await post("open", open, { origin }), 403, "browser_mismatch");
    const account = { mode: "account", tenant: "acme" };
    await assertProblem(await post("open", account, { origin }), 403, "browser_mismatch");
    const logout = { mode: "logout", token: "x" };
    await assertProblem(await post("open", logout, { origin }), 403, "browser_mismatch");
  }
  const siblings = { "sec-fetch-site": "same-site" };
  await assertProblem(await post("act", body, siblings), 403, "browser_mismatch");
});

Deno.test("widget function: a malformed request is told where, a form of another site is not read", async () => {
  await assertProblem(
    await post("open", { mode: "page", authRequest: "../x" }),
    422,
    "invalid_request",
  );
  await assertProblem(await post("open", { mode: "magic" }), 422, "invalid_request");
  const form = await app.request("/widget/flows/open", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "mode=page&authRequest=V2_1",
  });
  await assertProblem(form, 415, "unsupported_media_type");
});

Deno.test("widget function: a failure of ours is a 5xx that tells nothing of itself", async () => {
  const response = await post("open", { mode: "page", authRequest: "V2_1" });
  assert.equal(response.status, 500);
  assert.equal((await response.json()).detail, undefined);
});

Deno.test("widget function: where it asks who signed out, only the issuer's own token counts", async () => {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwks = [{ ...await exportJWK(publicKey), kid: "1", alg: "RS256", use: "sig" }];
  const own = appOf(makeWorld(), { issuer, jwks: () => Promise.resolve(jwks) });
  const sign = (claims: Record<string, unknown>, key: CryptoKey = privateKey, alg = "RS256") =>
    new SignJWT({ iss: issuer, exp: Math.floor(Date.now() / 1000) + 60, ...claims })
      .setProtectedHeader({ alg, kid: "1" }).sign(key);
  const open = (token: string) =>
    own.request("/widget/flows/open", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ mode: "logout", token }),
    });
  const there = "https://shop.example/bye?state=1";
  const good = await open(await sign({ post_logout_redirect_uri: there }));
  assert.deepEqual((await good.json()).state, { screen: "signed_out", continueUrl: there });
  const stranger = await generateKeyPair("RS256");
  for (
    const [what, token] of [
      ["another issuer's", await sign({ iss: "https://evil.example" })],
      ["another key's", await sign({}, stranger.privateKey)],
      ["too old", await sign({ exp: Math.floor(Date.now() / 1000) - 60 })],
      ["without an end", await sign({ exp: undefined })],
      ["no token", "x"],
      ["unsigned", `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ iss: issuer }))}.`],
    ] as const
  ) {
    const refused = await open(token);
    assert.equal(refused.status, 401, what);
    await assertProblem(refused, 401, "logout_refused");
  }
});
