import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  isPopupAnswer,
  newRequest,
  readAnswer,
  type SignInError,
  type SignInResult,
  startAuthorization,
  takeAnswer,
  withoutAnswer,
} from "../../widget/src/oidc.ts";

const request = {
  issuer: "https://id.example/",
  clientId: "320000000000000001",
  redirectUri: "https://shop.example/",
  scope: "openid profile",
};

async function start(more: Partial<Parameters<typeof startAuthorization>[0]> = {}) {
  sessionStorage.clear();
  const url = new URL(await startAuthorization({ ...request, ...more }));
  return { url, parameters: Object.fromEntries(url.searchParams) };
}

const answer = (parameters: Record<string, string>) =>
  takeAnswer(new URL(`https://shop.example/?${new URLSearchParams(parameters)}`));

Deno.test("widget, redirect way: it asks for a code with PKCE, state and nonce at the issuer", async () => {
  const { url, parameters } = await start();
  assert.equal(url.origin + url.pathname, "https://id.example/oauth/v2/authorize");
  assert.equal(parameters.response_type, "code");
  assert.equal(parameters.client_id, request.clientId);
  assert.equal(parameters.redirect_uri, request.redirectUri);
  assert.equal(parameters.scope, "openid profile");
  assert.equal(parameters.code_challenge_method, "S256");
  assert.match(parameters.state!, /^gatehouse\.[\w-]{43}$/);
  assert.match(parameters.nonce!, /^[\w-]{43}$/);
  assert.match(parameters.code_challenge!, /^[\w-]{43}$/);
  assert.ok(!("prompt" in parameters) && !("login_hint" in parameters));
});

Deno.test("widget, redirect way: organization, hint, prompt and languages are passed on", async () => {
  const { parameters } = await start({
    organization: "org-1",
    loginHint: "vera",
    prompt: "login",
    uiLocales: "de",
  });
  assert.equal(parameters.scope, "openid profile urn:zitadel:iam:org:id:org-1");
  assert.equal(parameters.login_hint, "vera");
  assert.equal(parameters.prompt, "login");
  assert.equal(parameters.ui_locales, "de");
});

Deno.test("widget, redirect way: the answer comes with what the server needs to exchange it, and only once", async () => {
  const { parameters } = await start();
  const result = answer({ code: "abc", state: parameters.state! }) as SignInResult;
  const { codeVerifier, ...rest } = result;
  assert.deepEqual(rest, {
    code: "abc",
    issuer: "https://id.example",
    clientId: request.clientId,
    redirectUri: request.redirectUri,
    nonce: parameters.nonce,
  });
  const challenge = createHash("sha256").update(codeVerifier).digest("base64url");
  assert.equal(challenge, parameters.code_challenge);
  assert.equal(sessionStorage.length, 0);
  const again = answer({ code: "abc", state: parameters.state! }) as SignInError;
  assert.equal(again.error, "state_mismatch");
});

Deno.test("widget, redirect way: an answer nobody asked for, of another issuer or too late is refused", async () => {
  await start();
  assert.equal(
    (answer({ code: "abc", state: "gatehouse.x" }) as SignInError).error,
    "state_mismatch",
  );

  const { parameters } = await start();
  const mixed = answer({ code: "abc", state: parameters.state!, iss: "https://evil.example" });
  assert.equal((mixed as SignInError).error, "issuer_mismatch");

  const late = await start();
  const key = `gatehouse-login:${late.parameters.state}`;
  const pending = JSON.parse(sessionStorage.getItem(key)!);
  sessionStorage.setItem(key, JSON.stringify({ ...pending, startedAt: Date.now() - 3_600_001 }));
  const tooLate = answer({ code: "abc", state: late.parameters.state! });
  assert.equal((tooLate as SignInError).error, "state_mismatch");
});

Deno.test("widget, redirect way: a refusal of the issuer is told, other addresses are no answer", async () => {
  const { parameters } = await start();
  const refused = answer({
    error: "access_denied",
    error_description: "Not today",
    state: parameters.state!,
  });
  assert.deepEqual(refused, { error: "access_denied", description: "Not today" });
  assert.equal(answer({ q: "kettle" }), undefined);
  assert.equal(answer({ state: "gatehouse.x" }), undefined);
  assert.equal(answer({ code: "abc", state: "of-another-library" }), undefined);
  assert.equal(answer({ code: "SUMMER-SALE" }), undefined);
});

Deno.test("widget, redirect way: the address bar keeps everything but the answer", () => {
  const address = new URL("https://shop.example/cart?item=7&code=a&state=b&iss=c#top");
  assert.equal(withoutAnswer(address), "https://shop.example/cart?item=7#top");
});

Deno.test("widget, inline way: nothing is stored; the answer is read against what was kept in memory", async () => {
  sessionStorage.clear();
  const { state, codeChallenge, scope, pending } = await newRequest({
    ...request,
    organization: "org-1",
  });
  assert.equal(sessionStorage.length, 0);
  assert.equal(scope, "openid profile urn:zitadel:iam:org:id:org-1");
  assert.equal(
    codeChallenge,
    createHash("sha256").update(pending.codeVerifier).digest("base64url"),
  );
  const read = (query: string, startedAt = Date.now()) =>
    readAnswer(new URLSearchParams(query), { ...pending, startedAt });
  const result = read(`code=abc&state=${state}&iss=https://id.example`) as SignInResult;
  assert.equal(result.code, "abc");
  assert.ok(!("startedAt" in result));
  assert.equal((read("code=abc&iss=https://evil.example") as SignInError).error, "issuer_mismatch");
  assert.equal((read("error=access_denied") as SignInError).error, "access_denied");
  assert.equal((read("code=abc", Date.now() - 3_700_000) as SignInError).error, "state_mismatch");
});

Deno.test("widget, popup way: its answers are known by their state", async () => {
  const { parameters } = await start({ popup: true });
  assert.match(parameters.state!, /^gatehouse\.popup\.[\w-]{43}$/);
  const address = (state: string) => new URL(`https://shop.example/?code=abc&state=${state}`);
  assert.ok(isPopupAnswer(address(parameters.state!)));
  assert.ok(!isPopupAnswer(address((await start()).parameters.state!)));
  assert.equal((takeAnswer(address(parameters.state!)) as SignInError).error, "state_mismatch");
});
