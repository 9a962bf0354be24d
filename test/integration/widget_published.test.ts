// What is published of a tenant's sign-in, as browsers get it; and the snippet, as its administrator gets it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import type { TransactionSql } from "postgres";
import { apps, people, tenants } from "../support/actors.ts";
import type { Actor } from "../support/actors.ts";
import { arrange, type Arranged, publicUrl } from "./functions_support.ts";

interface App {
  request(path: string, init?: RequestInit): Response | Promise<Response>;
}
let arranged: Arranged;
let widget: App;
let stop: () => Promise<void>;

before(async () => {
  arranged = await arrange();
  widget = (await import("../../functions/widget/app.ts")).app;
  stop = (await import("../../functions/_shared/db.ts")).closeDatabase;
});
after(async () => {
  await stop();
  await arranged.dispose();
});

const hostless = "0".repeat(64);
const drawing = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>';

/** As alice: a draft with a logo, published. */
async function publish(layout: string): Promise<{ hash: string; body: string; logo: string }> {
  return await arranged.database.sql.begin(async (tx: TransactionSql) => {
    await tx`select set_config('gatehouse.principal_id', ${people.alice.id}, true),
      set_config('gatehouse.principal_kind', 'user', true),
      set_config('gatehouse.client_kind', 'portal', true)`;
    await tx`
      insert into public.widget_logos (tenant_id, bytes)
      values (${tenants.A}, ${new TextEncoder().encode(drawing)}) on conflict do nothing`;
    const logo = createHash("sha256").update(drawing).digest("hex");
    const [config] = await tx`
      insert into public.widget_configs (tenant_id, layout, logo_hash)
      values (${tenants.A}, ${layout}, ${logo})
      on conflict on constraint widget_config_taken do update set layout = excluded.layout
      returning id`;
    const [version] = await tx`
      select hash, body from public.publish_widget_config(${tenants.A}, ${config!.id})`;
    return { hash: version!.hash, body: version!.body, logo };
  });
}

test("a published configuration is served byte for byte, for ever, to any page", async () => {
  const { hash, body } = await publish("split");
  const response = await widget.request(`/widget/config/${hash}.json`);
  assert.equal(response.status, 200);
  const text = await response.text();
  assert.equal(text, body);
  assert.equal(createHash("sha256").update(text).digest("hex"), hash);
  const headers = Object.fromEntries(response.headers);
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
  assert.equal(headers["access-control-allow-origin"], "*");
  assert.equal(headers["access-control-allow-credentials"], undefined);
  assert.equal(headers.etag, `"${hash}"`);

  const again = await widget.request(`/widget/config/${hash}.json`, {
    headers: { "if-none-match": `"${hash}"` },
  });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
});

test("a later version does not take the earlier one away", async () => {
  const first = await publish("plain");
  const second = await publish("card");
  for (const { hash, body } of [first, second]) {
    const response = await widget.request(`/widget/config/${hash}.json`);
    assert.equal(await response.text(), body);
  }
});

test("a logo is served as what it is, and may do nothing", async () => {
  const { logo } = await publish("card");
  const response = await widget.request(`/widget/logo/${logo}`);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), drawing);
  const headers = Object.fromEntries(response.headers);
  assert.equal(headers["content-type"], "image/svg+xml");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.match(headers["content-security-policy"]!, /default-src 'none'.*sandbox/);
  assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
});

test("what is not published is not there, under any spelling", async () => {
  const { hash, logo } = await publish("card");
  const addresses = [
    `/config/${hostless}.json`,
    `/config/${hash.toUpperCase()}.json`,
    `/config/${hash}.json?x=1`,
    "/config/..%2f.json",
    "/config/'.json",
    `/logo/${hostless}`,
    `/logo/${logo}?x=1`,
    `/logo/${hash}`,
    `/config/${logo}.json`,
  ];
  for (const address of addresses) {
    const response = await widget.request(`/widget${address}`);
    assert.equal(response.status, 404, address);
    assert.equal(response.headers.get("cache-control"), "no-store");
    await response.body?.cancel();
  }
});

test("looks.find gives the flows what is published, the logo by its whole address", async () => {
  const { hash, logo } = await publish("split");
  const { databaseLooks, loadLook } = await import("../../functions/widget/look.ts");
  const { database } = await import("../../functions/_shared/db.ts");
  const looks = databaseLooks(database, publicUrl);
  const found = await looks.find(tenants.A, apps.A.id);
  assert.equal(found!.hash, hash);
  assert.equal(found!.flows.register, true);
  const look = await loadLook(looks, tenants.A, null);
  assert.equal(look!.logoUrl, `${publicUrl}/functions/v1/widget/logo/${logo}`);
  const { Look } = await import("../../functions/widget/contract.ts");
  assert.deepEqual(Look.parse(look), look);
  assert.equal(await looks.find(tenants.E, apps.E.id), null);
});

async function snippet(actor: Actor | null, tenantId: string, appId: string) {
  const response = await widget.request(`/widget/snippet?tenantId=${tenantId}&appId=${appId}`, {
    headers: actor === null ? {} : { authorization: `Bearer ${await arranged.token(actor)}` },
  });
  const json = await response.json();
  return { status: response.status, json, slug: json.type?.split(":").pop() };
}

test("the snippet pins the script by an integrity value that holds, and survives the next version", async () => {
  const { hash } = await publish("card");
  const { status, json } = await snippet("alice", tenants.A, apps.A.id);
  assert.equal(status, 200);
  assert.equal(json.config, hash);
  const { src, integrity } = json.script;
  assert.ok(src.startsWith(`${publicUrl}/functions/v1/widget/gatehouse.js?h=`));
  const script = await widget.request(src.slice(`${publicUrl}/functions/v1`.length));
  const bytes = new Uint8Array(await script.arrayBuffer());
  assert.equal(integrity, `sha384-${createHash("sha384").update(bytes).digest("base64")}`);
  assert.equal(script.headers.get("access-control-allow-origin"), "*"); // else integrity cannot be checked
  for (
    const part of [
      `src="${src}" integrity="${integrity}" crossorigin`,
      `client-id="${apps.A.clientId}"`,
      'issuer="http://zitadel.test"',
      'redirect-uri="https://shop.example/callback"',
      `config="${hash}"`,
    ]
  ) {
    assert.ok(json.html.includes(part), `${part} in ${json.html}`);
  }

  const older = new TextEncoder().encode("// the widget of last year");
  const digest = createHash("sha256").update(older).digest("base64url").slice(0, 16);
  await arranged.database.sql`select private.keep_widget_script(${digest}, ${older})`;
  const pinned = await widget.request(`/widget/gatehouse.js?h=${digest}`);
  assert.equal(await pinned.text(), "// the widget of last year");
  assert.equal(pinned.headers.get("cache-control"), "public, max-age=31536000, immutable");
  const unpinned = await widget.request("/widget/gatehouse.js?h=AAAAAAAAAAAAAAAA");
  assert.deepEqual(new Uint8Array(await unpinned.arrayBuffer()), bytes);
  assert.equal(unpinned.headers.get("cache-control"), "public, max-age=300, must-revalidate");
});

test("a script is kept under its own hash only", async () => {
  await assert.rejects(
    arranged.database.sql`select private.keep_widget_script('AAAAAAAAAAAAAAAA', 'x'::bytea)`,
    { code: "23514" },
  );
});

test("the snippet is for who may see the application", async () => {
  assert.equal((await snippet("bob", tenants.A, apps.A.id)).status, 200);
  assert.equal((await snippet("eve", tenants.A, apps.A.id)).slug, "app_not_found");
  assert.equal((await snippet("eve", tenants.E, apps.A.id)).slug, "app_not_found");
  assert.equal((await snippet("visitor", tenants.A, apps.A.id)).slug, "app_not_found");
  assert.equal((await snippet(null, tenants.A, apps.A.id)).slug, "token_missing");
  assert.equal((await snippet("alice", tenants.A, "x")).slug, "invalid_request");
});

test("what stands in a snippet cannot leave its attribute", async () => {
  const { sql } = arranged.database;
  await sql`
    update public.apps set redirect_uris = '{"https://shop.example/cb?a=1&b=2"}'
     where id = ${apps.E.id}`;
  const { json } = await snippet("eve", tenants.E, apps.E.id);
  assert.ok(json.html.includes('redirect-uri="https://shop.example/cb?a=1&amp;b=2"'));
  assert.equal(json.config, null);
  assert.ok(!json.html.includes("config="));
});
