// HTTP-7x: supabase-js does through the front door and PostgREST what a Supabase user expects, and no more.
import assert from "node:assert/strict";
import { apps, tenants } from "../support/actors.ts";
import { type House, openHouse } from "./attacks_http_support.ts";

let house: House;
Deno.test.beforeAll(async () => {
  house = await openHouse();
});
Deno.test.afterAll(async () => await house[Symbol.asyncDispose]());

Deno.test("HTTP-70 alice reads her tenant with its applications and steps in one request", async () => {
  const alice = house.client(await house.token("alice"));
  const { data, error } = await alice.from("tenants")
    .select("slug, status, apps(name, client_id), provisioning_steps(name, state)")
    .order("name", { referencedTable: "apps" });
  assert.equal(error, null);
  assert.equal(data!.length, 1);
  assert.deepEqual(data![0]!.apps.map(({ name }) => name), ["backend", "shop"]);
  assert.equal(data![0]!.provisioning_steps.length, 7);
});

Deno.test("HTTP-71 alice makes an application and gets it back; a second of the same name is a conflict", async () => {
  const alice = house.client(await house.token("alice"));
  const row = { tenant_id: tenants.A, name: "made", redirect_uris: ["https://made.example/cb"] };
  const { data, error } = await alice.from("apps").insert(row).select().single();
  assert.equal(error, null);
  assert.deepEqual([data!.name, data!.state, data!.client_id], ["made", "pending", null]);
  const again = await alice.from("apps").insert(row);
  assert.deepEqual([again.status, again.error!.code], [409, "23505"]);
  assert.match(again.error!.message, /app_name_taken/);
});

Deno.test("HTTP-72 a refusal reaches the caller as status, slug and reason", async () => {
  const alice = house.client(await house.token("alice"));
  const { status, error } = await alice.from("apps")
    .insert({ tenant_id: tenants.A, name: "bad", redirect_uris: ["https://a.example/#x"] });
  assert.deepEqual([status, error!.message, error!.code], [422, "redirect_uri_refused", "PT422"]);
  assert.match(error!.details, /fragment/);
});

Deno.test("HTTP-73 a filter on E's ids finds nothing, an update of them changes nothing", async () => {
  const alice = house.client(await house.token("alice"));
  const found = await alice.from("apps").select("id").eq("id", apps.E.id);
  assert.deepEqual(found.data, []);
  const changed = await alice.from("apps").update({ name: "x" }).eq("id", apps.E.id).select();
  assert.deepEqual([changed.error, changed.data], [null, []]);
});

Deno.test("HTTP-74 every table can be selected whole by who may see it", async () => {
  const pat = house.client(await house.token("pat"));
  const rows = await house.sql<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`;
  for (const { name } of rows) {
    const { data, error } = await pat.from(name).select().limit(5);
    assert.equal(error, null, name);
    assert.ok(data!.length > 0, name);
  }
});

Deno.test("HTTP-75 platform staff makes a tenant by rpc and by insert, with its steps and its job", async () => {
  const pat = house.client(await house.token("pat"));
  const made = await pat.rpc("create_tenant", {
    slug: "acme",
    name: "Acme",
    admin: { email: "a@acme.example", given_name: "Ada", family_name: "Acme" },
    app: { name: "store", redirect_uris: ["https://acme.example/cb"] },
  });
  assert.equal(made.error, null);
  const inserted = await pat.from("tenants").insert({ slug: "emca", name: "Emca" }).select()
    .single();
  assert.equal(inserted.error, null);
  const { data } = await pat.from("tenants").select(
    "slug, status, provisioning_steps(state), apps(name)",
  )
    .in("slug", ["acme", "emca"]).order("slug");
  assert.deepEqual(
    data!.map((one) => [one.slug, one.status, one.provisioning_steps.length, one.apps]),
    [
      ["acme", "provisioning", 7, [{ name: "store" }]],
      ["emca", "provisioning", 7, []],
    ],
  );
  const taken = await pat.rpc("create_tenant", { slug: "acme", name: "Acme" });
  assert.deepEqual([taken.status, taken.error!.code], [409, "23505"]);
});

Deno.test("HTTP-76 alice pages through her log by seq; platform staff is told who they are", async () => {
  const alice = house.client(await house.token("alice"));
  const first = await alice.rpc("list_events", { tenant_id: tenants.A, limit: 3 });
  assert.equal(first.data.length, 3);
  const next = await alice.rpc("list_events", {
    tenant_id: tenants.A,
    after_seq: first.data[2].seq,
    limit: 3,
  });
  assert.ok(next.data[0].seq > first.data[2].seq);
  const who = await house.client(await house.token("pat")).rpc("whoami");
  assert.deepEqual([who.data.kind, who.data.client_kind], ["user", "portal"]);
});

Deno.test("HTTP-77 with the anonymous key there is nothing to read", async () => {
  const { status, error } = await house.client(house.anonKey).from("tenants").select();
  assert.deepEqual([status, error!.code], [401, "42501"]);
});

Deno.test("HTTP-78 the log's personal values come as a computed column to who has audit.read, and to nobody else", async () => {
  const read = async (actor: "alice" | "audrey" | "bob" | "eve") =>
    await house.client(await house.token(actor)).from("audit_events")
      .select("type, data, personal_values").eq("tenant_id", tenants.A).eq("type", "user.created")
      .limit(1);
  for (const actor of ["alice", "audrey"] as const) {
    const { data, error } = await read(actor);
    assert.equal(error, null);
    assert.ok((data![0]!.personal_values as Record<string, string>)["data.after.login_name"]);
    assert.equal((data![0]!.data as { after: { login_name: null } }).after.login_name, null);
  }
  for (const actor of ["bob", "eve"] as const) assert.deepEqual((await read(actor)).data, []);
});
