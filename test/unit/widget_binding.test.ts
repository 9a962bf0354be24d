import assert from "node:assert/strict";
import { Hono } from "hono";
import type { App } from "../../functions/_shared/app.ts";
import { onProblem } from "../../functions/_shared/problem.ts";
import { browserBinding } from "../../functions/widget/binding.ts";
import { cookieKeys } from "../../functions/widget/cookie_keys.ts";

const start = new Date("2026-11-01T12:00:00Z");

/** Binds at /bind/:id, requires at /require/:id. */
function bound(
  { publicUrl = "https://gatehouse.example/prefix", token = "login-client-token", now = start } =
    {},
) {
  const clock = { now };
  const binding = browserBinding({
    publicUrl,
    keyring: cookieKeys(() => Promise.resolve(token)),
    now: () => clock.now,
  });
  const app = new Hono<App>();
  app.onError(onProblem);
  app.get("/bind/:id", async (c) => {
    await binding.bind(c, c.req.param("id"));
    return c.text("ok");
  });
  app.post(
    "/require/:id",
    async (c) => c.json(await binding.require(c, c.req.param("id"))),
  );
  return { app, clock };
}

async function cookieFor({ app }: ReturnType<typeof bound>, id: string): Promise<string> {
  return (await app.request(`/bind/${id}`)).headers.get("set-cookie")!;
}

function present(
  { app }: ReturnType<typeof bound>,
  id: string,
  headers: Record<string, string>,
): Promise<Response> {
  return Promise.resolve(app.request(`/require/${id}`, { method: "POST", headers }));
}

const pair = (setCookie: string) => setCookie.split(";")[0]!;

async function assertRefused(response: Response) {
  assert.equal(response.status, 403);
  assert.equal((await response.json()).type, "urn:gatehouse:problem:browser_mismatch");
}

Deno.test("browser binding: the cookie is http-only, same-site, secure and sent below the widget's path only", async () => {
  const cookie = await cookieFor(bound(), "V2_1");
  assert.match(cookie, /; Path=\/prefix\/functions\/v1\/widget(;|$)/);
  assert.match(cookie, /; HttpOnly(;|$)/);
  assert.match(cookie, /; Secure(;|$)/);
  assert.match(cookie, /; SameSite=Strict(;|$)/);
});

Deno.test("browser binding: without TLS, which only the embedded profile has, the cookie is not marked secure", async () => {
  const cookie = await cookieFor(bound({ publicUrl: "http://127.0.0.1:8000" }), "V2_1");
  assert.doesNotMatch(cookie, /Secure/);
  assert.match(cookie, /; Path=\/functions\/v1\/widget(;|$)/);
});

Deno.test("browser binding: the browser that opened the page is let through, on every replica", async () => {
  const cookie = pair(await cookieFor(bound(), "V2_1"));
  const response = await present(bound(), "V2_1", {
    cookie,
    origin: "https://gatehouse.example",
    "sec-fetch-site": "same-origin",
  });
  assert.equal(response.status, 200);
  assert.match((await response.json()).browser, /^[0-9a-f-]{36}$/);
});

Deno.test("browser binding: no cookie, one for another request, a forged one and one of another key are refused", async () => {
  const gate = bound();
  const cookie = pair(await cookieFor(gate, "V2_1"));
  const [name, value = ""] = cookie.split("=");
  const otherName = pair(await cookieFor(gate, "V2_2")).split("=")[0];
  await assertRefused(await present(gate, "V2_1", {}));
  await assertRefused(await present(gate, "V2_2", { cookie }));
  await assertRefused(await present(gate, "V2_2", { cookie: `${otherName}=${value}` }));
  await assertRefused(await present(gate, "V2_1", { cookie: `${name}=login-client.%%%` }));
  await assertRefused(await present(gate, "V2_1", { cookie: `${name}=${value.slice(0, -4)}AAAA` }));
  await assertRefused(await present(bound({ token: "another" }), "V2_1", { cookie }));
});

Deno.test("browser binding: a request that another site sends is refused, cookie or not", async () => {
  const gate = bound();
  const cookie = pair(await cookieFor(gate, "V2_1"));
  await assertRefused(await present(gate, "V2_1", { cookie, origin: "https://evil.example" }));
  await assertRefused(await present(gate, "V2_1", { cookie, origin: "null" }));
  await assertRefused(await present(gate, "V2_1", { cookie, "sec-fetch-site": "same-site" }));
});

Deno.test("browser binding: it ends after an hour", async () => {
  const gate = bound();
  const cookie = pair(await cookieFor(gate, "V2_1"));
  gate.clock.now = new Date(start.getTime() + 59 * 60_000);
  assert.equal((await present(gate, "V2_1", { cookie })).status, 200);
  gate.clock.now = new Date(start.getTime() + 60 * 60_000);
  await assertRefused(await present(gate, "V2_1", { cookie }));
});
