// HOOK: private.check_request decides which token, which client, which tenant. Every refusal by its slug, every attack by its name.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import {
  type Actor,
  apps,
  as,
  claims,
  type Coming,
  issuer,
  ownIssuer,
  people,
  portalClientId,
  projectId,
  refusal,
  sam,
  tenants,
} from "../support/actors.ts";
import { suiteDatabase } from "../support/suite.ts";
import { join } from "node:path";
import { root } from "../support/paths.ts";

const database = suiteDatabase();
const tested = new Set<string>();

/** What the hook left for the rest of the request. */
async function context(actor: Actor, coming: Coming = {}) {
  return await as(database().sql, actor, async (tx) => {
    const [row] = await tx`
      select current_user as role, nullif(current_setting('gatehouse.principal_kind', true), '') as kind,
        nullif(current_setting('gatehouse.principal_id', true), '') as id,
        nullif(current_setting('gatehouse.client_kind', true), '') as client,
        nullif(current_setting('gatehouse.tenant_id', true), '') as tenant`;
    return { ...row };
  }, coming);
}

function refused(
  name: string,
  slug: string,
  status: number,
  actor: Actor,
  coming: () => Coming,
): void {
  tested.add(slug);
  Deno.test(`${name}: ${status} ${slug}`, async () => {
    await assert.rejects(context(actor, coming()), refusal(slug, status));
  });
}

const changed = (actor: Actor, change: Record<string, unknown>): Coming => {
  const all: Record<string, unknown> = { ...claims(actor), ...change };
  return {
    claims: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
  };
};

Deno.test("HOOK-01 each of the cast comes in as what they are", async () => {
  const person = (id: string, role = "authenticated", client = "portal") => (
    { role, kind: "user", id, client, tenant: null }
  );
  assert.deepEqual(await context("anon"), {
    role: "anon",
    kind: null,
    id: null,
    client: null,
    tenant: null,
  });
  assert.deepEqual(await context("alice"), person(people.alice.id));
  assert.deepEqual(await context("bob"), person(people.bob.id));
  assert.deepEqual(await context("visitor"), person(people.visitor.id, "authenticated", "app"));
  assert.deepEqual(await context("pat"), person(people.pat.id, "gatehouse_platform"));
  assert.deepEqual(await context("mallory"), { ...person(people.alice.id), id: null });
  assert.deepEqual(await context("sam"), {
    ...person(sam.id),
    kind: "service",
    client: "service",
  });
});

Deno.test("HOOK-02 x-tenant-id narrows a member, and makes platform staff one of the tenant", async () => {
  const header = { tenantHeader: tenants.A };
  assert.equal((await context("alice", header)).tenant, tenants.A);
  assert.equal((await context("sam", header)).tenant, tenants.A);
  const pat = await context("pat", { tenantHeader: tenants.E });
  assert.deepEqual([pat.role, pat.tenant], ["authenticated", tenants.E]);
});

Deno.test("HOOK-03 platform staff through a tenant's application is no platform staff", async () => {
  const through = changed("pat", { client_id: apps.A.clientId });
  assert.equal((await context("pat", through)).role, "authenticated");
  await assert.rejects(
    context("pat", { ...through, tenantHeader: tenants.E }),
    refusal("tenant_not_member", 403),
  );
});

Deno.test("HOOK-04 the anonymous key of our own issuer is nobody", async () => {
  const key = { iss: ownIssuer, role: "anon", aud: projectId, exp: claims("bob")!.exp };
  assert.equal((await context("anon", { claims: key })).role, "anon");
});

Deno.test("HOOK-05 an audience may be one text or a list", async () => {
  assert.equal((await context("bob", changed("bob", { aud: projectId }))).id, people.bob.id);
});

refused(
  "HOOK-10 x-tenant-id that is no id",
  "tenant_id_malformed",
  400,
  "alice",
  () => ({ tenantHeader: "A' or 1=1" }),
);
refused(
  "HOOK-11 x-tenant-id in capitals",
  "tenant_id_malformed",
  400,
  "alice",
  () => ({ tenantHeader: tenants.A.toUpperCase() }),
);
refused(
  "HOOK-12 x-tenant-id of a stranger",
  "tenant_not_member",
  403,
  "eve",
  () => ({ tenantHeader: tenants.A }),
);
refused(
  "HOOK-13 x-tenant-id of a tenant that is not there",
  "tenant_not_member",
  403,
  "pat",
  () => ({
    tenantHeader: "01990000-0000-7000-8000-00000000dead",
  }),
);
refused(
  "HOOK-14 x-tenant-id without a token",
  "tenant_not_member",
  403,
  "anon",
  () => ({ tenantHeader: tenants.A }),
);
refused("HOOK-15 x-tenant-id with the anonymous key", "tenant_not_member", 403, "anon", () => ({
  claims: { iss: ownIssuer, role: "anon", aud: projectId },
  tenantHeader: tenants.A,
}));
refused(
  "HOOK-16 x-tenant-id of an end user's own tenant",
  "tenant_not_member",
  403,
  "visitor",
  () => ({
    tenantHeader: tenants.A,
  }),
);

refused(
  "HOOK-20 an issuer nobody knows",
  "issuer_unknown",
  401,
  "alice",
  () => changed("alice", { iss: "http://evil.test" }),
);
refused(
  "HOOK-21 no issuer",
  "issuer_unknown",
  401,
  "alice",
  () => changed("alice", { iss: undefined }),
);
refused("HOOK-22 a removed key", "key_unknown", 401, "alice", () => ({
  arrange: (tx) => tx`delete from private.verification_keys where issuer = ${issuer}`,
}));
refused(
  "HOOK-23 a key that was never there",
  "key_unknown",
  401,
  "alice",
  () => ({ keyId: "key-of-mallory" }),
);
refused("HOOK-24 a token that names no key", "key_unknown", 401, "alice", () => ({ keyId: null }));
refused("HOOK-25 a key of another issuer", "key_unknown", 401, "alice", () => ({
  arrange: (tx) => tx`update private.verification_keys set kid = 'key-2' where issuer = ${issuer}`,
}));
refused("HOOK-26 an Authorization header that is no JWT", "key_unknown", 401, "alice", () => ({
  headers: { authorization: "Bearer %%%" },
}));

refused(
  "HOOK-30 a foreign token with role: service_role",
  "role_claim_foreign",
  401,
  "alice",
  () => changed("alice", { role: "service_role" }),
);
refused(
  "HOOK-31 a foreign token with role: gatehouse_platform",
  "role_claim_foreign",
  401,
  "alice",
  () => changed("alice", { role: "gatehouse_platform" }),
);
refused(
  "HOOK-32 a token with role and no sub",
  "role_claim_foreign",
  401,
  "alice",
  () => changed("alice", { role: "authenticated", sub: undefined }),
);
refused(
  "HOOK-33 our own issuer naming service_role",
  "role_refused",
  401,
  "alice",
  () => changed("alice", { iss: ownIssuer, role: "service_role" }),
);
refused(
  "HOOK-34 our own issuer naming the platform",
  "role_refused",
  401,
  "alice",
  () => changed("alice", { iss: ownIssuer, role: "gatehouse_platform" }),
);
refused(
  "HOOK-35 our own token with a role and no sub",
  "not_an_access_token",
  401,
  "alice",
  () => changed("alice", { iss: ownIssuer, role: "authenticated", sub: undefined }),
);
refused(
  "HOOK-36 the anonymous key with somebody's sub",
  "role_refused",
  401,
  "alice",
  () => changed("alice", { iss: ownIssuer, role: "anon" }),
);

refused(
  "HOOK-40 a token without aud",
  "audience_refused",
  401,
  "alice",
  () => changed("alice", { aud: undefined }),
);
refused(
  "HOOK-41 a token for another audience",
  "audience_refused",
  401,
  "alice",
  () => changed("alice", { aud: [portalClientId, "300000000000000002"] }),
);
refused(
  "HOOK-42 an empty audience",
  "audience_refused",
  401,
  "alice",
  () => changed("alice", { aud: [] }),
);
refused(
  "HOOK-43 an audience that only holds ours as a part",
  "audience_refused",
  401,
  "alice",
  () => changed("alice", { aud: `${projectId}0` }),
);
refused(
  "HOOK-44 a visitor's token of the storefront, for its own audience only",
  "audience_refused",
  401,
  "visitor",
  () => changed("visitor", { aud: [apps.A.clientId] }),
);

for (const claim of ["sub", "jti", "client_id", "iat", "exp"]) {
  refused(
    `HOOK-50 a token without ${claim}`,
    "not_an_access_token",
    401,
    "alice",
    () => changed("alice", { [claim]: undefined }),
  );
}
for (const claim of ["nonce", "at_hash", "c_hash", "amr", "sid"]) {
  refused(
    `HOOK-51 an ID token, by its ${claim}`,
    "not_an_access_token",
    401,
    "alice",
    () => changed("alice", { [claim]: "x" }),
  );
}

refused(
  "HOOK-60 another issuer's client",
  "client_refused",
  401,
  "alice",
  () => changed("alice", { client_id: "320000000000000099" }),
);
refused("HOOK-61 an application that is switched off", "client_refused", 401, "visitor", () => ({
  arrange: (tx) => tx`update public.apps set enabled = false where id = ${apps.A.id}`,
}));
refused("HOOK-62 an application of a suspended tenant", "tenant_suspended", 403, "visitor", () => ({
  arrange: (tx) => tx`update public.tenants set status = 'suspended' where id = ${tenants.A}`,
}));
refused("HOOK-63 a disabled user", "user_inactive", 401, "bob", () => ({
  arrange: (tx) => tx`update public.users set state = 'disabled' where id = ${people.bob.id}`,
}));
refused("HOOK-64 a removed user", "user_inactive", 401, "bob", () => ({
  arrange: (tx) => tx`update public.users set state = 'removed' where id = ${people.bob.id}`,
}));
refused("HOOK-65 a disabled service account", "service_account_disabled", 401, "sam", () => ({
  arrange: (tx) => tx`update public.service_accounts set enabled = false where id = ${sam.id}`,
}));
refused('HOOK-66 a token from before "sign out everywhere"', "token_revoked", 401, "bob", () => ({
  arrange: (tx) =>
    tx`update public.users set tokens_valid_after = now() where id = ${people.bob.id}`,
}));

Deno.test('HOOK-67 a token from after "sign out everywhere" is taken', async () => {
  const arrange = (tx: TransactionSql) =>
    tx`update public.users set tokens_valid_after = now() - interval '1 minute' where id = ${people.bob.id}`;
  assert.equal((await context("bob", { arrange })).id, people.bob.id);
});

Deno.test("HOOK-68 nobody but the hook's roles may ask who somebody is, and settings of an earlier request are gone", async () => {
  const arrange = (tx: TransactionSql) =>
    tx`select set_config('gatehouse.principal_id', ${people.pat.id}, true), set_config('gatehouse.client_kind', 'portal', true)`;
  assert.deepEqual(await context("anon", { arrange }), {
    role: "anon",
    kind: null,
    id: null,
    client: null,
    tenant: null,
  });
});

Deno.test("HOOK-69 PostgREST may have become service_role on a foreign word: the hook still refuses, and nothing else opens", async () => {
  await as(database().sql, "anon", async (tx) => {
    await tx`select set_config('role', 'service_role', true)`;
    await assert.rejects(tx.savepoint((s) => s`select from public.tenants`), { code: "42501" });
    await assert.rejects(tx.savepoint((s) => s`select private.tenants_with('tenants.read')`), {
      code: "42501",
    });
  });
});

Deno.test("HOOK-70 another tenant app's token opens nothing but its user's own profile", async () => {
  const through = changed("alice", {
    client_id: apps.E.clientId,
    aud: [apps.E.clientId, projectId],
  });
  await as(database().sql, "alice", async (tx) => {
    for (const table of ["tenants", "apps", "assignments", "audit_events", "webhook_endpoints"]) {
      const [row] = await tx.unsafe(`select count(*)::int as n from public.${table}`);
      assert.equal(row!.n, 0, table);
    }
    const users = await tx`select id from public.users`;
    assert.deepEqual(users.map(({ id }) => id), [people.alice.id]);
  }, through);
});

Deno.test("HOOK-71 a visitor reads the own profile and nothing of the tenant", async () => {
  await as(database().sql, "visitor", async (tx) => {
    assert.deepEqual((await tx`select id from public.users`).map(({ id }) => id), [
      people.visitor.id,
    ]);
    assert.equal((await tx`select id from public.tenants`).length, 0);
  });
});

Deno.test("every refusal of the hook has a test", async () => {
  const text = await Deno.readTextFile(join(root, "sql/20_access/80_check_request.sql"));
  const slugs = [...text.matchAll(/private\.refuse\(\s*\d+,\s*'([a-z_]+)'/g)].map((match) =>
    match[1]!
  );
  assert.deepEqual([...new Set(slugs)].filter((slug) => !tested.has(slug)), []);
});
