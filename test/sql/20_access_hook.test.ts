// HOOK: private.check_request decides which token, which client, which tenant. Who comes in as what.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import {
  apps,
  as,
  claims,
  ownIssuer,
  people,
  projectId,
  refusal,
  sam,
  tenants,
} from "../support/actors.ts";
import { suiteDatabase } from "../support/suite.ts";
import { changed, context } from "./hook_cases.ts";

const database = suiteDatabase();

Deno.test("HOOK-01 each of the cast comes in as what they are", async () => {
  const person = (id: string, role = "authenticated", client = "portal") => (
    { role, kind: "user", id, client, tenant: null }
  );
  assert.deepEqual(await context(database().sql, "anon"), {
    role: "anon",
    kind: null,
    id: null,
    client: null,
    tenant: null,
  });
  assert.deepEqual(await context(database().sql, "alice"), person(people.alice.id));
  assert.deepEqual(await context(database().sql, "bob"), person(people.bob.id));
  assert.deepEqual(
    await context(database().sql, "visitor"),
    person(people.visitor.id, "authenticated", "app"),
  );
  assert.deepEqual(
    await context(database().sql, "pat"),
    person(people.pat.id, "gatehouse_platform"),
  );
  assert.deepEqual(await context(database().sql, "mallory"), {
    ...person(people.alice.id),
    id: null,
  });
  assert.deepEqual(await context(database().sql, "sam"), {
    ...person(sam.id),
    kind: "service",
    client: "service",
  });
});

Deno.test("HOOK-02 x-tenant-id narrows a member, and makes platform staff one of the tenant", async () => {
  const header = { tenantHeader: tenants.A };
  assert.equal((await context(database().sql, "alice", header)).tenant, tenants.A);
  assert.equal((await context(database().sql, "sam", header)).tenant, tenants.A);
  const pat = await context(database().sql, "pat", { tenantHeader: tenants.E });
  assert.deepEqual([pat.role, pat.tenant], ["authenticated", tenants.E]);
});

Deno.test("HOOK-03 platform staff through a tenant's application is no platform staff", async () => {
  const through = changed("pat", { client_id: apps.A.clientId });
  assert.equal((await context(database().sql, "pat", through)).role, "authenticated");
  await assert.rejects(
    context(database().sql, "pat", { ...through, tenantHeader: tenants.E }),
    refusal("tenant_not_member", 403),
  );
});

Deno.test("HOOK-04 the anonymous key of our own issuer is nobody", async () => {
  const key = { iss: ownIssuer, role: "anon", aud: projectId, exp: claims("bob")!.exp };
  assert.equal((await context(database().sql, "anon", { claims: key })).role, "anon");
});

Deno.test("HOOK-05 an audience may be one text or a list", async () => {
  assert.equal(
    (await context(database().sql, "bob", changed("bob", { aud: projectId }))).id,
    people.bob.id,
  );
});

Deno.test('HOOK-67 a token from after "sign out everywhere" is taken', async () => {
  const arrange = (tx: TransactionSql) =>
    tx`update public.users set tokens_valid_after = now() - interval '1 minute' where id = ${people.bob.id}`;
  assert.equal((await context(database().sql, "bob", { arrange })).id, people.bob.id);
});

Deno.test("HOOK-68 nobody but the hook's roles may ask who somebody is, and settings of an earlier request are gone", async () => {
  const arrange = (tx: TransactionSql) =>
    tx`select set_config('gatehouse.principal_id', ${people.pat.id}, true), set_config('gatehouse.client_kind', 'portal', true)`;
  assert.deepEqual(await context(database().sql, "anon", { arrange }), {
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
