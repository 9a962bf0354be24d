// ACC: rights = assignment ∩ ceiling, narrowed by x-tenant-id; who may hand out roles; sessions of our own.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import {
  type Actor,
  apps,
  as,
  claims,
  issuer,
  people,
  platform,
  projectId,
  refusal,
  sam,
  tenants,
} from "../support/actors.ts";
import { asOwner, eventsOf } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

const tenantsWith = (actor: Actor, right: string, tenantHeader?: string) =>
  as(database().sql, actor, async (tx) => {
    const rows = await asOwner(tx, () => tx`select private.tenants_with(${right}) as id`);
    return rows.map(({ id }) => id);
  }, { tenantHeader });

Deno.test("ACC-01 each role holds its rights in its tenant", async () => {
  assert.deepEqual(await tenantsWith("alice", "apps.write"), [tenants.A]);
  assert.deepEqual(await tenantsWith("eve", "apps.write"), [tenants.E]);
  assert.deepEqual(await tenantsWith("bob", "apps.read"), [tenants.A]);
  assert.deepEqual(await tenantsWith("bob", "apps.write"), []);
  assert.deepEqual(await tenantsWith("bob", "audit.read"), []);
  assert.deepEqual(await tenantsWith("audrey", "audit.read"), [tenants.A]);
  assert.deepEqual(await tenantsWith("audrey", "apps.write"), []);
  assert.deepEqual(await tenantsWith("sam", "apps.read"), [tenants.A]);
  for (const nobody of ["visitor", "mallory", "anon"] as const) {
    assert.deepEqual(await tenantsWith(nobody, "tenants.read"), [], nobody);
  }
});

Deno.test("ACC-02 no role of a tenant reaches the instance's settings", async () => {
  for (const right of ["settings.read", "settings.write"]) {
    for (const actor of ["alice", "audrey", "eve"] as const) {
      assert.deepEqual(await tenantsWith(actor, right), []);
    }
  }
});

Deno.test("ACC-03 with x-tenant-id rights narrow to that tenant, also for who holds them in two", async () => {
  const arrange = (tx: TransactionSql) =>
    tx`
    insert into public.assignments (tenant_id, user_id, role_key) values (${tenants.E}, ${people.alice.id}, 'auditor')`;
  const seen = (tenantHeader?: string) =>
    as(
      database().sql,
      "alice",
      async (tx) =>
        (await tx`select slug from public.tenants order by slug`).map(({ slug }) => slug),
      {
        tenantHeader,
        arrange,
      },
    );
  assert.deepEqual(await seen(), ["tenant-a", "tenant-e"]);
  assert.deepEqual(await seen(tenants.A), ["tenant-a"]);
  assert.deepEqual(await seen(tenants.E), ["tenant-e"]);
});

Deno.test("ACC-04 platform staff see every tenant, and with the header only that one, with its writes", async () => {
  const slugs = (tenantHeader?: string) =>
    as(
      database().sql,
      "pat",
      async (tx) =>
        (await tx`select slug from public.tenants order by slug`).map(({ slug }) => slug),
      { tenantHeader },
    );
  assert.deepEqual(await slugs(), ["platform", "tenant-a", "tenant-e"]);
  assert.deepEqual(await slugs(tenants.E), ["tenant-e"]);
  await as(database().sql, "pat", async (tx) => {
    assert.equal((await tx`update public.apps set name = 'renamed'`).count, 1);
  }, { tenantHeader: tenants.E });
});

Deno.test("ACC-05 an administrator through her own tenant's application holds nothing", async () => {
  const through = {
    ...claims("alice"),
    client_id: apps.A.clientId,
    aud: [apps.A.clientId, projectId],
  };
  await as(database().sql, "alice", async (tx) => {
    assert.equal((await tx`select from public.apps`).length, 0);
    assert.equal((await tx`update public.tenants set name = 'x'`).count, 0);
    const [me] = await tx`select public.whoami() as me`;
    assert.deepEqual([me!.me.client_kind, me!.me.assignments], ["app", []]);
  }, { claims: through });
});

Deno.test("ACC-06 whoami tells who asks and with which roles", async () => {
  const whoami = (actor: Actor) =>
    as(database().sql, actor, async (tx) => (await tx`select public.whoami() as me`)[0]!.me);
  assert.deepEqual(await whoami("anon"), {
    kind: "anonymous",
    id: null,
    client_kind: null,
    tenant_id: null,
    assignments: [],
  });
  assert.deepEqual(await whoami("sam"), {
    kind: "service",
    id: sam.id,
    client_kind: "service",
    tenant_id: null,
    assignments: [{ tenant_id: tenants.A, role: "tenant_member" }],
  });
  assert.deepEqual((await whoami("pat")).assignments, [{
    tenant_id: platform,
    role: "platform_admin",
  }]);
});

const assign = (tx: TransactionSql, tenant: string, user: string, role: string) =>
  tx`
  insert into public.assignments (tenant_id, user_id, role_key) values (${tenant}, ${user}, ${role}) returning id`;

Deno.test("ACC-10 alice gives a role to a person of her tenant, and it is on record", async () => {
  await as(database().sql, "alice", async (tx) => {
    await assign(tx, tenants.A, people.visitor.id, "tenant_member");
    await asOwner(tx, async () => {
      const event = (await eventsOf(tx, tenants.A, "assignment.created")).at(-1)!;
      assert.deepEqual(event.actor, { kind: "user", id: people.alice.id });
      assert.deepEqual([event.data.after!.user_id, event.data.after!.role_key], [
        people.visitor.id,
        "tenant_member",
      ]);
    });
  });
});

Deno.test("ACC-11 alice lets nobody of another tenant in, nor somebody she made up", async () => {
  for (const stranger of [people.eve.id, people.pat.id]) {
    await assert.rejects(
      as(database().sql, "alice", (tx) => assign(tx, tenants.A, stranger, "tenant_member")),
      refusal("user_not_in_tenant", 422),
    );
  }
});

Deno.test("ACC-12 alice makes nobody platform staff, herself included", async () => {
  await assert.rejects(
    as(database().sql, "alice", (tx) => assign(tx, tenants.A, people.alice.id, "platform_admin")),
    refusal("role_out_of_scope", 422),
  );
  await assert.rejects(
    as(database().sql, "alice", (tx) => assign(tx, platform, people.alice.id, "platform_admin")),
    { code: "42501" },
  );
});

Deno.test("ACC-13 a role of a tenant has no place on the platform", async () => {
  await assert.rejects(
    as(database().sql, "pat", (tx) => assign(tx, platform, people.pat.id, "tenant_admin")),
    refusal("role_out_of_scope", 422),
  );
});

Deno.test("ACC-14 eve learns nothing of A's people from being refused", async () => {
  for (const user of [people.bob.id, people.eve.id, "01990000-0000-7000-8000-00000000dead"]) {
    await assert.rejects(
      as(database().sql, "eve", (tx) => assign(tx, tenants.A, user, "tenant_member")),
      { code: "42501" },
    );
  }
});

Deno.test("ACC-15 bob and audrey hand out nothing", async () => {
  for (const actor of ["bob", "audrey", "sam"] as const) {
    await assert.rejects(
      as(database().sql, actor, (tx) => assign(tx, tenants.A, people.visitor.id, "tenant_admin")),
      { code: "42501" },
    );
  }
});

Deno.test("ACC-16 a role is held once, by a user or by a service account, not by both", async () => {
  await as(database().sql, "alice", async (tx) => {
    await assert.rejects(
      tx.savepoint((s) => assign(s, tenants.A, people.bob.id, "tenant_member")),
      { constraint_name: "assignment_taken" },
    );
    await assert.rejects(
      tx.savepoint((s) =>
        s`
        insert into public.assignments (tenant_id, user_id, service_account_id, role_key)
        values (${tenants.A}, ${people.bob.id}, ${sam.id}, 'auditor')`
      ),
      { constraint_name: "assignment_principal_malformed" },
    );
  });
});

Deno.test("ACC-17 a service account of A gets no role in E", async () => {
  await assert.rejects(
    as(database().sql, "eve", (tx) =>
      tx`
      insert into public.assignments (tenant_id, service_account_id, role_key) values (${tenants.E}, ${sam.id}, 'tenant_member')`),
    { code: "23503" },
  );
});

Deno.test("ACC-18 a role taken away is gone on the next request", async () => {
  await as(database().sql, "alice", async (tx) => {
    assert.equal(
      (await tx`delete from public.assignments where user_id = ${people.bob.id}`).count,
      1,
    );
    await asOwner(
      tx,
      () => tx`select set_config('gatehouse.principal_id', ${people.bob.id}, true)`,
    );
    assert.equal((await tx`select from public.apps`).length, 0);
  });
});

Deno.test("ACC-19 nobody names a service account's subject: it would be another's token", async () => {
  await assert.rejects(
    as(database().sql, "alice", (tx) =>
      tx`
      insert into public.service_accounts (tenant_id, name, issuer, subject) values (${tenants.A}, 'thief', ${issuer}, ${people.pat.subject})`),
    { code: "42501" },
  );
});

Deno.test("ACC-20 a first request makes the row that ZITADEL's event has not made yet", async () => {
  await as(database().sql, "mallory", async (tx) => {
    const [made] = await tx`select public.start_session() as id`;
    await asOwner(tx, async () => {
      const [row] =
        await tx`select subject, home_tenant_id, last_seen_at is not null as seen from public.users where id = ${
          made!.id
        }`;
      assert.deepEqual({ ...row }, {
        subject: "330000000000000099",
        home_tenant_id: null,
        seen: true,
      });
    });
    assert.equal((await tx`select public.start_session() as id`)[0]!.id, made!.id);
  });
});

Deno.test("ACC-21 only a person starts a session", async () => {
  await assert.rejects(
    as(database().sql, "sam", (tx) => tx`select public.start_session()`),
    refusal("not_a_person", 403),
  );
  await assert.rejects(as(database().sql, "anon", (tx) => tx`select public.start_session()`), {
    code: "42501",
  });
});

Deno.test("ACC-22 sign out everywhere binds the caller's own tokens on the next request", async () => {
  await as(database().sql, "bob", async (tx) => {
    await tx`select public.sign_out_everywhere()`;
    await assert.rejects(
      tx.savepoint(async (s) => {
        await s`reset role`;
        await s`select private.check_request()`;
      }),
      refusal("token_revoked", 401),
    );
  });
});

Deno.test("ACC-23 alice signs out bob; eve, bob and audrey sign out nobody else", async () => {
  const signOut = (actor: Actor, user: string) =>
    as(database().sql, actor, (tx) => tx`select public.sign_out_everywhere(${user})`);
  await signOut("alice", people.bob.id);
  await signOut("pat", people.eve.id);
  for (const actor of ["eve", "bob", "audrey", "visitor"] as const) {
    await assert.rejects(signOut(actor, people.alice.id), refusal("not_allowed", 403), actor);
  }
  await assert.rejects(signOut("alice", people.pat.id), refusal("not_allowed", 403));
});

Deno.test("ACC-24 people are read by who may, and a visitor reads the own profile", async () => {
  const seen = (actor: Actor) =>
    as(
      database().sql,
      actor,
      async (tx) =>
        (await tx`select login_name from public.users order by 1`).map(({ login_name }) =>
          login_name
        ),
    );
  assert.deepEqual(await seen("alice"), ["alice", "audrey", "bob", "visitor"]);
  assert.deepEqual(await seen("eve"), ["eve"]);
  assert.deepEqual(await seen("bob"), ["bob"]);
  assert.deepEqual(await seen("visitor"), ["visitor"]);
  assert.deepEqual(await seen("mallory"), []);
  assert.deepEqual(await seen("pat"), ["alice", "audrey", "bob", "eve", "pat", "visitor"]);
});
