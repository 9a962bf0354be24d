// TEN: a tenant is made with its steps, its job and its event in one transaction, by platform staff.
import assert from "node:assert/strict";
import fc from "fast-check";
import { as, people, platform, refusal } from "../support/actors.ts";
import { asOwner, eventsOf, jobs, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const admin = { email: "ada@acme.example", given_name: "Ada", family_name: "Byron" };
const app = { name: "shop", kind: "spa", redirect_uris: ["https://shop.acme.example/callback"] };

Deno.test("TEN-01 a tenant comes with its steps in order, its job and its events", async () => {
  await as(database().sql, "pat", async (tx) => {
    const [tenant] = await tx`select * from public.create_tenant('acme', 'Acme', 'gold', ${
      tx.json(admin)
    }, ${tx.json(app)})`;
    assert.deepEqual(
      [tenant!.slug, tenant!.status, tenant!.kind, tenant!.plan, tenant!.admin_email],
      ["acme", "provisioning", "customer", "gold", admin.email],
    );
    const steps =
      await tx`select name, state, attempts, required from public.provisioning_steps where tenant_id = ${
        tenant!.id
      } order by position`;
    assert.deepEqual(steps.map(({ name }) => name), [
      "organization",
      "domain_policy",
      "project",
      "roles",
      "app",
      "administrator",
      "provider",
    ]);
    assert.ok(
      steps.every(({ state, attempts, required }) =>
        state === "pending" && attempts === 0 && required
      ),
    );
    await asOwner(tx, async () => {
      const mine = (await jobs(tx, "tenant__reconcile")).filter(({ payload }) =>
        payload.tenantId === tenant!.id
      );
      assert.deepEqual(mine, [{
        task: "tenant__reconcile",
        key: `tenant__reconcile:${tenant!.id}`,
        payload: { tenantId: tenant!.id },
      }]);
      const events = await eventsOf(tx, tenant!.id);
      assert.deepEqual(events.map(({ type }) => type), ["tenant.created", "app.created"]);
      assert.deepEqual(events[0]!.actor, { kind: "user", id: people.pat.id });
      assert.deepEqual(events[0]!.targets, [{ kind: "tenant", id: tenant!.id }]);
      assert.equal(events[0]!.data.after!.slug, "acme");
    });
  });
});

Deno.test("TEN-02 an insert does the same as create_tenant", async () => {
  await as(database().sql, "pat", async (tx) => {
    const [tenant] =
      await tx`insert into public.tenants (slug, name) values ('acme', 'Acme') returning id, status`;
    const [steps] =
      await tx`select count(*)::int as n from public.provisioning_steps where tenant_id = ${
        tenant!.id
      }`;
    assert.deepEqual([tenant!.status, steps!.n], ["provisioning", 7]);
  });
});

Deno.test("TEN-03 a slug is taken once in the world", async () => {
  await assert.rejects(
    as(database().sql, "pat", (tx) => tx`select public.create_tenant('tenant-e', 'Another')`),
    { code: "23505", constraint_name: "tenant_slug_taken" },
  );
});

Deno.test("TEN-04 a slug is a DNS label that begins with a letter, nothing else", async () => {
  const slugs = [
    ...fc.sample(fc.string({ maxLength: 70 }), { numRuns: 300, seed: 4 }),
    ...fc.sample(fc.stringMatching(/^[a-z0-9-]{1,66}$/), { numRuns: 300, seed: 4 }),
    ...[
      "a",
      "ab",
      "-a",
      "a-",
      "1a",
      "a1",
      "A1",
      "a_b",
      "a.b",
      "ab\n",
      "a".repeat(63),
      "a".repeat(64),
    ],
  ].filter((slug) => !slug.includes("\0"));
  const label = (slug: string) =>
    /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(slug) && !slug.includes("\n");
  assert.ok(slugs.filter(label).length > 50);
  await undone(database().sql, async (tx) => {
    for (const slug of new Set(slugs)) {
      const accepted = await tx.savepoint((s) =>
        s`insert into public.tenants (slug, name) values (${slug}, 'x')`
      )
        .then(() => true, (error) => {
          assert.equal(error.constraint_name, "tenant_slug_malformed");
          return false;
        });
      assert.equal(accepted, label(slug), JSON.stringify(slug));
    }
  });
});

Deno.test("TEN-05 an administrator is whole or absent", async () => {
  await assert.rejects(
    as(
      database().sql,
      "pat",
      (tx) =>
        tx`select public.create_tenant('acme', 'Acme', 'free', ${tx.json({ email: admin.email })})`,
    ),
    { code: "23514", constraint_name: "tenant_administrator_incomplete" },
  );
});

Deno.test("TEN-06 when the first application is refused there is no tenant either", async () => {
  const bad = { ...app, redirect_uris: ["https://shop.acme.example/#here"] };
  await as(database().sql, "pat", async (tx) => {
    await assert.rejects(
      tx.savepoint((s) =>
        s`select public.create_tenant('acme', 'Acme', 'free', null, ${s.json(bad)})`
      ),
      refusal("redirect_uri_refused", 422),
    );
    assert.equal((await tx`select from public.tenants where slug = 'acme'`).length, 0);
  });
});

for (
  const actor of ["alice", "bob", "visitor", "mallory", "sam", "audrey", "eve", "anon"] as const
) {
  Deno.test(`TEN-07 ${actor} makes no tenant`, async () => {
    await assert.rejects(
      as(database().sql, actor, (tx) => tx`select public.create_tenant('acme', 'Acme')`),
      { code: "42501" },
    );
    await assert.rejects(
      as(
        database().sql,
        actor,
        (tx) => tx`insert into public.tenants (slug, name) values ('acme', 'Acme')`,
      ),
      { code: "42501" },
    );
  });
}

Deno.test("TEN-08 what provisioning confirms is nobody's to write, platform staff included", async () => {
  for (
    const column of [
      "status",
      "organization_id",
      "project_id",
      "login_domain",
      "kind",
      "slug",
      "id",
    ]
  ) {
    for (const actor of ["alice", "pat"] as const) {
      await assert.rejects(
        as(
          database().sql,
          actor,
          (tx) =>
            tx.unsafe(`update public.tenants set ${column} = ${column} where slug = 'tenant-a'`),
        ),
        { code: "42501" },
        `${actor} ${column}`,
      );
    }
  }
});

Deno.test("TEN-18 the request's trace is in its event and its job", async () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  await as(database().sql, "pat", async (tx) => {
    const [tenant] = await tx`select id from public.create_tenant('acme', 'Acme')`;
    await asOwner(tx, async () => {
      const [event] = await tx`
        select private.with_personal(e) -> 'context' as context from public.audit_events e
         where tenant_id = ${tenant!.id} order by recorded_at, id`;
      assert.deepEqual(
        [
          event!.context.traceparent,
          event!.context.trace_id,
          event!.context.address,
          event!.context.client_id,
        ],
        [traceparent, traceparent.split("-")[1], "192.0.2.7", "310000000000000001"],
      );
      const job = (await jobs(tx)).find(({ payload }) => payload.tenantId === tenant!.id);
      assert.deepEqual(job!.payload._otel, { traceparent });
    });
  }, { headers: { traceparent, "x-forwarded-for": "203.0.113.9, 192.0.2.7" } });
});

Deno.test("TEN-19 a malformed traceparent is not carried on", async () => {
  await as(database().sql, "pat", async (tx) => {
    const [tenant] = await tx`select id from public.create_tenant('acme', 'Acme')`;
    await asOwner(
      tx,
      async () => assert.equal((await eventsOf(tx, tenant!.id))[0]!.context.traceparent, undefined),
    );
  }, { headers: { traceparent: "00-evil'); drop table" } });
});

Deno.test("TEN-20 there is one platform tenant, and no other may call itself that", async () => {
  await undone(database().sql, async (tx) => {
    const [row] = await tx`select kind, slug, status from public.tenants where id = ${platform}`;
    assert.deepEqual({ ...row }, { kind: "platform", slug: "platform", status: "provisioning" });
    await assert.rejects(
      tx.savepoint((s) =>
        s`insert into public.tenants (slug, name, kind) values ('second', 'Second', 'platform')`
      ),
      { constraint_name: "tenant_platform_is_one" },
    );
    const steps =
      await tx`select name from public.provisioning_steps where tenant_id = ${platform} order by position`;
    assert.equal(steps.length, 11);
  });
});
