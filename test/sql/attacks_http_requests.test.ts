// HTTP: requests that a token must not make, through real PostgREST: status and slug.
import assert from "node:assert/strict";
import { type Actor, people, tenants } from "../support/actors.ts";
import { type House, openHouse, refusedByGrant } from "./attacks_http_support.ts";
import { deliveries } from "./matrix/seed.ts";

let house: House;
Deno.test.beforeAll(async () => {
  house = await openHouse();
});
Deno.test.afterAll(async () => await house[Symbol.asyncDispose]());

const assignment = (tenant: string, user: string, role: string) =>
  JSON.stringify({ tenant_id: tenant, user_id: user, role_key: role });

const requests: [
  id: string,
  attack: string,
  actor: Actor,
  method: string,
  path: string,
  body: string | undefined,
  expected: string,
][] = [
  [
    "HTTP-40",
    "alice makes herself platform_admin in A",
    "alice",
    "POST",
    "/assignments",
    assignment(tenants.A, people.alice.id, "platform_admin"),
    "422 role_out_of_scope",
  ],
  [
    "HTTP-41",
    "alice makes herself tenant_admin of E",
    "alice",
    "POST",
    "/assignments",
    assignment(tenants.E, people.alice.id, "tenant_admin"),
    refusedByGrant,
  ],
  [
    "HTTP-42",
    "alice gives a role to a user of E",
    "alice",
    "POST",
    "/assignments",
    assignment(tenants.A, people.eve.id, "tenant_member"),
    "422 user_not_in_tenant",
  ],
  [
    "HTTP-43",
    "bob makes himself tenant_admin",
    "bob",
    "POST",
    "/assignments",
    assignment(tenants.A, people.bob.id, "tenant_admin"),
    refusedByGrant,
  ],
  [
    "HTTP-44",
    "alice activates her tenant by hand",
    "alice",
    "PATCH",
    "/tenants",
    '{"status":"active"}',
    refusedByGrant,
  ],
  [
    "HTTP-45",
    "alice gives her application another's client id",
    "alice",
    "PATCH",
    "/apps",
    '{"client_id":"1"}',
    refusedByGrant,
  ],
  [
    "HTTP-46",
    "alice moves her application to E",
    "alice",
    "PATCH",
    "/apps",
    JSON.stringify({ tenant_id: tenants.E }),
    refusedByGrant,
  ],
  [
    "HTTP-47",
    "alice takes over E's row by an upsert",
    "alice",
    "POST",
    "/providers?on_conflict=tenant_id,name",
    JSON.stringify({ tenant_id: tenants.E, name: "directory", kind: "ldap" }),
    refusedByGrant,
  ],
  [
    "HTTP-48",
    "alice forges an event",
    "alice",
    "POST",
    "/audit_events",
    JSON.stringify({ tenant_id: tenants.A, type: "tenant.suspended" }),
    refusedByGrant,
  ],
  [
    "HTTP-49",
    "platform staff removes events",
    "pat",
    "DELETE",
    "/audit_events",
    undefined,
    refusedByGrant,
  ],
  [
    "HTTP-50",
    "bob signs alice out",
    "bob",
    "POST",
    "/rpc/sign_out_everywhere",
    JSON.stringify({ user_id: people.alice.id }),
    "403 not_allowed",
  ],
  [
    "HTTP-51",
    "eve reads A's log",
    "eve",
    "POST",
    "/rpc/list_events",
    JSON.stringify({ tenant_id: tenants.A }),
    "403 not_allowed",
  ],
  [
    "HTTP-52",
    "alice makes a tenant",
    "alice",
    "POST",
    "/rpc/create_tenant",
    '{"slug":"mine","name":"Mine"}',
    refusedByGrant,
  ],
  [
    "HTTP-53",
    "somebody sets a setting of the hook",
    "alice",
    "POST",
    "/rpc/set_config",
    JSON.stringify({
      setting_name: "gatehouse.principal_id",
      new_value: people.pat.id,
      is_local: false,
    }),
    "404 PGRST202",
  ],
  [
    "HTTP-54",
    "somebody calls a helper",
    "alice",
    "POST",
    "/rpc/put_verification_keys",
    "{}",
    "404 PGRST202",
  ],
  [
    "HTTP-55",
    "somebody calls the hook",
    "alice",
    "POST",
    "/rpc/check_request",
    "{}",
    "404 PGRST202",
  ],
  [
    "HTTP-56",
    "the anonymous signs somebody out",
    "anon",
    "POST",
    "/rpc/sign_out_everywhere",
    "{}",
    "401 42501",
  ],
  [
    "HTTP-57",
    "alice gives up every domain of every tenant: only her own go",
    "alice",
    "DELETE",
    "/tenant_domains",
    undefined,
    "204 undefined",
  ],
];

for (const [id, attack, actor, method, path, body, expected] of requests) {
  Deno.test(`${id} ${attack}: ${expected}`, async () => {
    const token = actor === "anon" ? undefined : await house.token(actor);
    const init = {
      method,
      ...(body === undefined ? {} : { body }),
      headers: {
        prefer: path.includes("on_conflict") ? "resolution=merge-duplicates" : "return=minimal",
      },
    };
    const { status, slug } = await house.ask(path, token, init);
    assert.equal(`${status} ${slug}`, expected);
  });
}

Deno.test("HTTP-58 and E's domain is still there", async () => {
  const { body } = await house.ask("/tenant_domains?select=name", await house.token("eve"));
  assert.deepEqual(body, [{ name: "e.example" }]);
});

Deno.test("HTTP-59 attempts are embedded in their deliveries, each tenant's in its own", async () => {
  for (const [actor, tenant] of [["alice", "A"], ["eve", "E"]] as const) {
    const path = "/webhook_deliveries?select=tenant_id,id,webhook_attempts(tenant_id,delivery_id)";
    const { body } = await house.ask(path, await house.token(actor));
    type Row = { tenant_id: string; id: string; webhook_attempts: object[] };
    assert.deepEqual(
      (body as Row[]).filter(({ webhook_attempts }) => webhook_attempts.length > 0),
      [{
        tenant_id: tenants[tenant],
        id: deliveries[tenant],
        webhook_attempts: [{ tenant_id: tenants[tenant], delivery_id: deliveries[tenant] }],
      }],
    );
  }
});

Deno.test("HTTP-60 schemas other than public are not there", async () => {
  for (const schema of ["private", "graphile_worker", "pg_catalog"]) {
    const { status, slug } = await house.ask("/issuers", await house.token("alice"), {
      headers: { "accept-profile": schema },
    });
    assert.equal(`${status} ${slug}`, "406 PGRST106", schema);
  }
});

Deno.test("HTTP-61 a request leaves nothing to the next one on its connection", async () => {
  const [pat, bob] = [await house.token("pat"), await house.token("bob")];
  const whoami = async (token?: string) => {
    const { body } = await house.ask("/rpc/whoami", token, { method: "POST", body: "{}" });
    return (body as { id: string | null }).id;
  };
  const asked = await Promise.all(
    Array.from({ length: 90 }, (_, index) => whoami([pat, undefined, bob][index % 3])),
  );
  assert.deepEqual(
    asked,
    asked.map((_, index) => [people.pat.id, null, people.bob.id][index % 3]),
  );
});
