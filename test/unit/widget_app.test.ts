// What the widget function answers before ZITADEL is asked. With ZITADEL: test/integration/widget.test.ts.
import assert from "node:assert/strict";
import { createApp } from "../../functions/widget/app.ts";
import { cookieKeys } from "../../functions/widget/cookie_keys.ts";
import { loginClient } from "../../functions/_shared/zitadel/login_client.ts";

/** There is no token for ZITADEL: any question to it fails. */
const app = createApp(() => ({
  zitadel: loginClient({
    profile: "embedded",
    issuer: "http://127.0.0.1:9",
    tokenFile: "/nonexistent",
    platformOrganizationId: () => Promise.resolve(null),
  }),
  refusals: { report: () => Promise.resolve() },
  clients: {
    find: () => Promise.resolve(null),
    findLoginOrganization: () => Promise.resolve(null),
  },
  publicUrl: "https://gatehouse.example",
  keyring: cookieKeys(() => Promise.resolve("token")),
  now: () => new Date(),
  refusalFloorMs: 0,
}));

async function assertProblem(response: Response, status: number, slug: string) {
  const problem = await response.json();
  assert.equal(problem.type, `urn:gatehouse:problem:${slug}`);
  assert.equal(response.status, status);
}

const post = (body: unknown, headers: Record<string, string> = {}) =>
  app.request("/widget/flows/password", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
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
  assert.match(page, /<gatehouse-login flow="none">/, "what was asked for is not in the page");
});

Deno.test("widget function: credentials are refused before ZITADEL hears of them unless this browser opened the page", async () => {
  const body = { authRequest: "V2_1", loginName: "vera", password: "secret" };
  await assertProblem(await post(body), 403, "browser_mismatch");
  await assertProblem(
    await post(body, { origin: "https://evil.example" }),
    403,
    "browser_mismatch",
  );
});

Deno.test("widget function: a malformed request is told where, a form of another site is not read", async () => {
  await assertProblem(await post({ authRequest: "V2_1", loginName: "" }), 422, "invalid_request");
  await assertProblem(
    await post({ authRequest: "../x", loginName: "a", password: "b" }),
    422,
    "invalid_request",
  );
  const form = await app.request("/widget/flows/password", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "loginName=a&password=b&authRequest=V2_1",
  });
  await assertProblem(form, 415, "unsupported_media_type");
});

Deno.test("widget function: a failure of ours is a 5xx that tells nothing of itself", async () => {
  const response = await app.request("/widget/flows/V2_1");
  assert.equal(response.status, 500);
  assert.equal((await response.json()).detail, undefined);
});
