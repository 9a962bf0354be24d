import assert from "node:assert/strict";
import { Hono } from "hono";
import type { App } from "../../functions/_shared/app.ts";
import { onProblem } from "../../functions/_shared/problem.ts";
import { flowBinding } from "../../functions/widget/binding.ts";
import { derivedKeys } from "../../functions/widget/cookie_keys.ts";
import { sealing } from "../../functions/widget/sealing.ts";
import { newMemory } from "../../functions/widget/flow/open.ts";

const start = new Date("2026-11-01T12:00:00Z");

/** Binds at /bind/:id, requires at /require/:id. */
function bound(
  { publicUrl = "https://gatehouse.example/prefix", token = "login-client-token", now = start } =
    {},
) {
  const clock = { now };
  const parts = {
    publicUrl,
    ...derivedKeys(() => Promise.resolve(token)),
    now: () => clock.now,
  };
  const binding = flowBinding(parts);
  const app = new Hono<App>();
  app.onError(onProblem);
  app.get("/bind/:id", async (c) => {
    await binding.keep(c, newMemory(parts, { mode: "page", ref: c.req.param("id") }));
    return c.text("ok");
  });
  app.post(
    "/require/:id",
    async (c) => c.json(await binding.require(c, c.req.param("id"))),
  );
  app.post("/inline", async (c) => {
    const origin = c.req.header("origin");
    const its = { mode: "inline", ref: "V2_9", ...(origin ? { origin } : {}) } as const;
    return c.text(await binding.keep(c, newMemory(parts, its)));
  });
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
  await assertRefused(await present(gate, `gf1.${value}`, { cookie })); // a cookie is no flow token
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

Deno.test("browser binding: a flow token counts from the page's origin only, and is no cookie", async () => {
  const gate = bound();
  const given = await gate.app.request("/inline", {
    method: "POST",
    headers: { origin: "https://shop.example" },
  });
  assert.deepEqual(given.headers.getSetCookie(), []);
  const token = await given.text();
  const own = await present(gate, token, { origin: "https://shop.example" });
  assert.equal(own.status, 200);
  await assertRefused(await present(gate, token, { origin: "https://evil.example" }));
  await assertRefused(await present(gate, token, {}));
  gate.clock.now = new Date(start.getTime() + 60 * 60_000);
  await assertRefused(await present(gate, token, { origin: "https://shop.example" }));
});

Deno.test("browser binding: what is sealed has one length, whatever is in it", async () => {
  const sealer = sealing(derivedKeys(() => Promise.resolve("token")).keyring);
  const empty = await sealer.seal("widget_flow", "V2_1", {});
  const full = await sealer.seal("widget_flow", "V2_1", { session: "x".repeat(1500) });
  assert.equal(empty.length, full.length);
  assert.ok(full.length < 3000, `${full.length} of the 4096 bytes that a cookie may have`);
});
