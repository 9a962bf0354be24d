// The functions against the real database, as the role they run with.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLocalJWKSet, exportSPKI, generateKeyPair, type JWTPayload, jwtVerify } from "jose";
import { Webhook } from "standardwebhooks";
import { kid, people, projectId, tenants } from "../support/actors.ts";
import { arrange, type Arranged, publicUrl, receive, type Signing } from "./functions_support.ts";
import type { Actor } from "../support/actors.ts";

interface App {
  request(path: string, init?: RequestInit): Response | Promise<Response>;
}
let arranged: Arranged;
let webhooks: App, session: App;
let stop: () => Promise<void>;

before(async () => {
  arranged = await arrange();
  webhooks = (await import("../../functions/webhooks/app.ts")).app;
  session = (await import("../../functions/session/app.ts")).app;
  const { closeDatabase } = await import("../../functions/_shared/db.ts");
  const { door } = await import("../../functions/_shared/outbound.ts");
  stop = async () => {
    await closeDatabase();
    (await door()).close();
  };
});
after(async () => {
  await stop();
  await arranged.dispose();
});

const traceId = "0af7651916cd43dd8448eb211c80319c";
// deno-lint-ignore no-explicit-any
type Answer = { status: number; json: any; slug: string | undefined };
async function post(
  app: App,
  path: string,
  token: string | null,
  content: unknown,
  headers = {},
): Promise<Answer> {
  const response = await app.request(path, {
    method: "POST",
    body: JSON.stringify(content),
    headers: {
      "content-type": "application/json",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  const json = response.status === 204 ? null : await response.json();
  return { status: response.status, json, slug: json?.type?.split(":").pop() };
}
const endpoint = (more = {}) => ({
  tenantId: tenants.A,
  url: "http://127.0.0.1:9999/hook",
  ...more,
});
const create = async (actor: Actor, changes?: JWTPayload, signing?: Signing, headers = {}) =>
  await post(
    webhooks,
    "/webhooks/endpoints",
    await arranged.token(actor, changes, signing),
    endpoint(),
    headers,
  );

test("an administrator makes an endpoint: the secret is shown once and lies sealed", async () => {
  const { sql } = arranged.database;
  const token = await arranged.token("alice");
  const eventTypes = ["tenant.*", "user.signed_in"];
  const body = endpoint({ description: "ours", eventTypes });
  const { status, json } = await post(webhooks, "/webhooks/endpoints", token, body, {
    traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    "x-correlation-id": "order-12345678",
    "x-forwarded-for": "6.6.6.6, 198.51.100.7",
    "user-agent": "test",
  });
  assert.equal(status, 201);
  assert.match(json.secret, /^whsec_/);
  assert.deepEqual([json.url, json.enabled, json.eventTypes], [body.url, true, eventTypes]);

  const [row] = await sql`select * from public.webhook_endpoints where id = ${json.id}`;
  assert.equal(row!.tenant_id, tenants.A);
  const [secret] = await sql`select * from private.webhook_secrets where endpoint_id = ${json.id}`;
  assert.ok(!secret!.ciphertext.toString("latin1").includes(json.secret.slice(6, 20)));

  const [event] = await sql`
    select actor, private.with_personal(e) -> 'context' as context, data::text as data
      from public.audit_events e
    where type = 'webhook_endpoint.created' and tenant_id = ${tenants.A}`;
  assert.deepEqual(event!.actor, { kind: "user", id: people.alice.id });
  assert.equal(event!.context.request_id, "order-12345678");
  assert.equal(event!.context.trace_id, traceId);
  assert.equal(event!.context.address, "198.51.100.7");
  assert.ok(!event!.data.includes(json.secret));
});

test("platform staff make one for a tenant", async () => {
  assert.equal((await create("pat")).status, 201);
});

test("nobody else makes one: member, auditor, stranger, another tenant, another application, a service", async () => {
  for (const actor of ["bob", "audrey", "eve", "mallory", "visitor", "sam"] as const) {
    const { status, slug } = await create(actor);
    assert.deepEqual([status, slug], [403, "not_allowed"], actor);
  }
  const anonymous = await post(webhooks, "/webhooks/endpoints", null, endpoint());
  assert.deepEqual([anonymous.status, anonymous.slug], [401, "token_missing"]);
});

test("eve neither rotates nor tests alice's endpoint, in alice's tenant or by naming her own", async () => {
  const made = await create("alice");
  const eve = await arranged.token("eve");
  for (const action of ["rotate", "test"]) {
    const path = `/webhooks/endpoints/${made.json.id}/${action}`;
    assert.equal((await post(webhooks, path, eve, { tenantId: tenants.A })).slug, "not_allowed");
    assert.equal(
      (await post(webhooks, path, eve, { tenantId: tenants.E })).slug,
      "endpoint_not_found",
    );
  }
});

test("a token that is no access token of ours opens nothing", async () => {
  const now = Math.floor(Date.now() / 1000);
  const rival = await generateKeyPair("RS256");
  const pem = new TextEncoder().encode(await exportSPKI(arranged.keys.publicKey));
  const refused: [string, string, JWTPayload, Signing?][] = [
    ["an ID token", "not_an_access_token", { nonce: "n", at_hash: "h" }],
    ["without aud", "audience_refused", { aud: undefined }],
    ["for another audience", "audience_refused", { aud: ["320000000000000001"] }],
    ["with a foreign role", "role_claim_foreign", { role: "service_role" }],
    ["with a foreign role and no sub", "role_claim_foreign", {
      role: "gatehouse_platform",
      sub: undefined,
    }],
    ["without jti", "not_an_access_token", { jti: undefined }],
    ["of an unknown issuer", "token_invalid", { iss: "http://evil.test" }],
    ["of our own issuer by ZITADEL's key", "token_invalid", {
      iss: `${publicUrl}/functions/v1/session`,
    }],
    ["expired", "token_expired", { exp: now - 60 }],
    ["of an unknown client", "client_refused", { client_id: "999" }],
    ["by another key", "token_invalid", {}, { key: rival.privateKey }],
    ["by an unknown kid", "token_invalid", {}, { header: { kid: "key-9" } }],
    ["by HS256 with the public key", "token_invalid", {}, { header: { alg: "HS256" }, key: pem }],
  ];
  for (const [what, slug, changes, signing] of refused) {
    const answer = await create("alice", changes, signing);
    assert.deepEqual([answer.status, answer.slug], [401, slug], what);
  }
});

test("a removed key is refused on the next request, and a signed out user", async () => {
  const { sql } = arranged.database;
  const next = await generateKeyPair("RS256", { extractable: true });
  assert.equal((await create("alice")).status, 201);
  await arranged.setKeys({ "key-2": next });
  assert.equal((await create("alice")).status, 401);
  await arranged.setKeys({ [kid]: next });
  await assertSoon(async () => (await create("alice")).slug === "token_invalid");
  await arranged.setKeys({ [kid]: arranged.keys });
  await assertSoon(async () => (await create("alice")).status === 201);
  await sql`update public.users set tokens_valid_after = now() where id = ${people.alice.id}`;
  assert.equal((await create("alice")).slug, "token_revoked");
  await sql`update public.users set tokens_valid_after = default where id = ${people.alice.id}`;
});

test("x-tenant-id narrows: malformed 400, a stranger's 403, one's own is fine", async () => {
  const by = (tenant: string) => create("alice", {}, {}, { "x-tenant-id": tenant });
  assert.equal((await by("acme")).slug, "tenant_id_malformed");
  assert.equal((await by(tenants.E)).slug, "tenant_not_member");
  assert.equal((await by(tenants.A)).status, 201);
});

test("an address that the door would refuse is refused when it is saved, with its pointer", async () => {
  const token = await arranged.token("alice");
  const refused: [string, string][] = [
    ["http://169.254.169.254/latest", "address_refused"],
    ["http://10.0.0.1/", "address_refused"],
    ["http://user:secret@127.0.0.1:9999/", "url_refused"],
    ["ftp://127.0.0.1/", "url_refused"],
    ["http://127.0.0.1:22/", "url_refused"],
    ["hook", "url_refused"],
  ];
  for (const [url, expected] of refused) {
    const { status, slug, json } = await post(
      webhooks,
      "/webhooks/endpoints",
      token,
      endpoint({ url }),
    );
    assert.deepEqual([status, slug, json.errors[0].pointer], [422, expected, "#/url"], url);
    assert.ok(!JSON.stringify(json).includes("secret@"));
  }
  const bad = await post(
    webhooks,
    "/webhooks/endpoints",
    token,
    endpoint({ eventTypes: ["A b"], more: 1 }),
  );
  assert.deepEqual(
    bad.json.errors.map((fault: { pointer: string }) => fault.pointer).sort(),
    ["#/eventTypes/0", "#/more"],
  );
});

test("a test event arrives signed; while the secret rotates, with both; what the receiver did is the answer", async () => {
  const token = await arranged.token("alice");
  await using receiver = receive();
  const made = await post(webhooks, "/webhooks/endpoints", token, endpoint({ url: receiver.url }));
  const path = `/webhooks/endpoints/${made.json.id}`;
  const call = (action: string, more = {}) =>
    post(webhooks, `${path}/${action}`, token, { tenantId: tenants.A, ...more });

  const sent = await call("test");
  assert.deepEqual([sent.json.delivered, sent.json.status, sent.json.responseBody], [
    true,
    200,
    "ok",
  ]);
  const first = receiver.received.at(-1)!;
  const content = new Webhook(made.json.secret).verify(first.body, first.headers) as {
    type: string;
  };
  assert.equal(content.type, "webhook_endpoint.test");
  assert.match(first.headers.traceparent!, /^00-/);

  const rotated = await call("rotate");
  assert.match(rotated.json.secret, /^whsec_/);
  await call("test");
  const both = receiver.received.at(-1)!;
  for (const secret of [made.json.secret, rotated.json.secret]) {
    new Webhook(secret).verify(both.body, both.headers);
  }
  const last = await call("rotate", { overlapSeconds: 0 });
  await call("test");
  const now = receiver.received.at(-1)!;
  new Webhook(last.json.secret).verify(now.body, now.headers);
  assert.throws(() => new Webhook(rotated.json.secret).verify(now.body, now.headers));
});

test("a test event to a receiver that fails or is gone is told, not thrown", async () => {
  const token = await arranged.token("alice");
  const receiver = receive(() => new Response("no", { status: 500 }));
  const made = await post(webhooks, "/webhooks/endpoints", token, endpoint({ url: receiver.url }));
  const call = () =>
    post(webhooks, `/webhooks/endpoints/${made.json.id}/test`, token, { tenantId: tenants.A });
  const failing = await call();
  assert.deepEqual([failing.status, failing.json.delivered, failing.json.status], [
    200,
    false,
    500,
  ]);
  await receiver[Symbol.asyncDispose]();
  const gone = await call();
  assert.deepEqual([gone.json.delivered, gone.json.errorClass], [false, "connect_failed"]);
});

test("the session function tells what a page must know, once the instance is set up", async () => {
  const { sql } = arranged.database;
  const get = async (path: string) => {
    const response = await session.request(path);
    return { status: response.status, json: await response.json() };
  };
  assert.equal((await get("/session/config")).status, 503);
  await sql`select private.put_setting('zitadel.project_id', ${sql.json(projectId)}),
    private.put_setting('zitadel.portal_client_id', '"portal"')`;
  const { json: config } = await get("/session/config");
  assert.equal(config.clientId, "portal");
  assert.match(config.scope, new RegExp(`\\burn:zitadel:iam:org:project:id:${projectId}:aud\\b`));
  assert.equal(config.restUrl, `${publicUrl}/rest/v1`);
  const { json: metadata } = await get("/session/.well-known/openid-configuration");
  assert.equal(metadata.issuer, `${publicUrl}/functions/v1/session`);
  assert.equal(metadata.jwks_uri, `${metadata.issuer}/keys`);
  const { json: jwks } = await get("/session/keys");
  assert.equal(jwks.keys[0].d, undefined);
  const { payload } = await jwtVerify(config.anonKey, createLocalJWKSet(jwks), {
    issuer: metadata.issuer,
    audience: projectId,
  });
  assert.equal(payload.role, "anon");
});

async function assertSoon(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("it did not come to hold");
}
