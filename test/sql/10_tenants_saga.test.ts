// SAGA: leases with fencing, and a tenant that is active if and only if every required step is ok or skipped. Called as the worker calls it.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import fc from "fast-check";
import { apps, people, platform, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf, jobs, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();
const steps = [
  "organization",
  "domain_policy",
  "project",
  "roles",
  "app",
  "administrator",
  "provider",
];

/** A tenant in provisioning, leased, in a transaction of the worker's role that is rolled back. */
async function leased(
  test: (tx: TransactionSql, tenant: string, token: string) => Promise<void>,
): Promise<void> {
  await undone(database().sql, async (tx) => {
    const [made] =
      await tx`insert into public.tenants (slug, name) values ('acme', 'Acme') returning id`;
    await tx`set local role gatehouse_worker`;
    const [lease] = await tx`select private.lease_tenant(${made!.id}, 'worker-1', 60) as token`;
    await test(tx, made!.id, lease!.token);
  });
}

async function settle(
  tx: TransactionSql,
  tenant: string,
  token: string,
  step: string,
  state: string,
  externalId: string | null = null,
  error: object | null = null,
) {
  const [row] = await tx`
    select private.settle_step(${tenant}, ${token}, ${step}, ${state}, 'hash', ${externalId}, ${
    error === null ? null : tx.json(error as never)
  }) as status`;
  return row!.status as string;
}

Deno.test("SAGA-01 one holder at a time; the holder renews with the same token", async () => {
  await undone(database().sql, async (tx) => {
    const lease = async (holder: string) =>
      (await tx`select private.lease_tenant(${tenants.A}, ${holder}, 60) as token`)[0]!.token;
    const first = await lease("worker-1");
    assert.equal(await lease("worker-2"), null);
    assert.equal(await lease("worker-1"), first);
    await tx`select private.release_tenant(${tenants.A}, ${first})`;
    assert.ok(BigInt(await lease("worker-2")) > BigInt(first));
  });
});

Deno.test("SAGA-02 a lease that ran out goes to the next with a higher token, and the old one writes nothing", async () => {
  await leased(async (tx, tenant, token) => {
    await asOwner(
      tx,
      () =>
        tx`update private.provisioning_leases set expires_at = clock_timestamp() - interval '1 second' where tenant_id = ${tenant}`,
    );
    await assert.rejects(
      tx.savepoint(async (s) => await settle(s, tenant, token, "organization", "ok")),
      refusal("lease_lost", 409),
    );
    const [next] = await tx`select private.lease_tenant(${tenant}, 'worker-2', 60) as token`;
    assert.ok(BigInt(next!.token) > BigInt(token));
    const writes: ((s: TransactionSql) => Promise<unknown>)[] = [
      (s) => s`select private.start_step(${tenant}, ${token}, 'organization')`,
      (s) => settle(s, tenant, token, "organization", "ok", "1"),
      (s) =>
        s`select private.settle_app(${tenant}, ${token}, ${apps.A.id}, 'active', '1', '2', null)`,
      (s) => s`select private.settle_administrator(${tenant}, ${token}, 'i', 's', '{}')`,
      (s) => s`select private.settle_organization(${tenant}, ${token}, 'x.example')`,
    ];
    for (const write of writes) {
      await assert.rejects(tx.savepoint(async (s) => await write(s)), refusal("lease_lost", 409));
    }
    await tx`select private.release_tenant(${tenant}, ${token})`; // does nothing
    await settle(tx, tenant, next!.token, "organization", "ok", "1");
  });
});

Deno.test("SAGA-03 of many that ask at once one gets the lease", async () => {
  const pool = database().connect("gatehouse_worker", { max: 8 });
  const tokens = await Promise.all(
    Array.from(
      { length: 16 },
      (_, i) =>
        pool`select private.lease_tenant(${tenants.E}, ${`worker-${i}`}, 60) as token`.then((
          [row],
        ) => row!.token),
    ),
  );
  const got = tokens.filter((token) => token !== null);
  assert.equal(got.length, 1);
  await pool`select private.release_tenant(${tenants.E}, ${got[0]})`;
});

Deno.test("SAGA-04 a tenant that is not there has no lease", async () => {
  const [row] = await database()
    .sql`select private.lease_tenant('01990000-0000-7000-8000-00000000dead', 'w', 60) as token`;
  assert.equal(row!.token, null);
});

Deno.test("SAGA-05 active with the last required step, in any order, with any mixture of ok and skipped", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(steps, { minLength: 7 }),
      fc.array(fc.constantFrom("ok", "skipped"), { minLength: 7, maxLength: 7 }),
      fc.integer({ min: 0, max: 6 }),
      async (order, states, failing) => {
        await leased(async (tx, tenant, token) => {
          assert.equal(
            await settle(tx, tenant, token, order[failing]!, "error", null, {
              slug: "zitadel_down",
              detail: "x",
            }),
            "provisioning",
          );
          for (const [index, step] of order.entries()) {
            const status = await settle(tx, tenant, token, step, states[index]!);
            assert.equal(status, index === 6 ? "active" : "provisioning");
          }
          await asOwner(tx, async () => {
            assert.equal((await eventsOf(tx, tenant, "tenant.activated")).length, 1);
            const [row] = await tx`select activated_at from public.tenants where id = ${tenant}`;
            assert.ok(row!.activated_at);
          });
        });
      },
    ),
    { numRuns: 20, seed: 5 },
  );
});

Deno.test("SAGA-06 a later error does not take an active tenant back, nor does success wake a suspended one", async () => {
  await leased(async (tx, tenant, token) => {
    for (const step of steps) await settle(tx, tenant, token, step, "ok");
    assert.equal(
      await settle(tx, tenant, token, "roles", "error", null, { slug: "zitadel_down" }),
      "active",
    );
    await asOwner(
      tx,
      () => tx`update public.tenants set status = 'suspended' where id = ${tenant}`,
    );
    assert.equal(await settle(tx, tenant, token, "roles", "ok"), "suspended");
  });
});

Deno.test("SAGA-07 ZITADEL's ids go to the tenant, attempts are counted, an error stays readable", async () => {
  await leased(async (tx, tenant, token) => {
    await tx`select private.start_step(${tenant}, ${token}, 'organization')`;
    await settle(tx, tenant, token, "organization", "error", null, {
      slug: "zitadel_down",
      detail: "connection refused",
    });
    await tx`select private.start_step(${tenant}, ${token}, 'organization')`;
    await settle(tx, tenant, token, "organization", "ok", "350000000000000001");
    await settle(tx, tenant, token, "project", "ok", "350000000000000002");
    await tx`select private.settle_organization(${tenant}, ${token}, 'acme.gatehouse.test')`;
    const [input] = await tx`select private.provisioning_input(${tenant}) as input`;
    const { tenant: twin, steps: rows } = input!.input;
    assert.deepEqual([twin.organizationId, twin.projectId, twin.status, twin.admin], [
      "350000000000000001",
      "350000000000000002",
      "provisioning",
      null,
    ]);
    assert.deepEqual(rows[0], {
      name: "organization",
      required: true,
      state: "ok",
      attempts: 2,
      inputHash: "hash",
      externalId: "350000000000000001",
    });
  });
});

Deno.test("SAGA-08 a settled application has its client's ceiling, and its activation is on record once", async () => {
  await leased(async (tx, tenant, token) => {
    const app = await asOwner(tx, async () =>
      (await tx`
      insert into public.apps (tenant_id, name) values (${tenant}, 'shop') returning id`)[0]!.id);
    const settleApp = () =>
      tx`select private.settle_app(${tenant}, ${token}, ${app}, 'active', '36', '37', null)`;
    await settleApp();
    await asOwner(tx, () => tx`delete from graphile_worker._private_jobs`);
    await settleApp();
    await asOwner(tx, async () => {
      const [client] =
        await tx`select kind, tenant_id, app_id from private.clients where client_id = '37'`;
      assert.deepEqual({ ...client }, {
        kind: "app",
        tenant_id: tenant,
        app_id: app,
      });
      assert.deepEqual((await eventsOf(tx, tenant, "app.%")).map(({ type }) => type), [
        "app.created",
        "app.activated",
      ]);
      assert.deepEqual(
        await jobs(tx),
        [],
        "what provisioning writes sets off no further provisioning",
      );
    });
  });
});

Deno.test("SAGA-09 the first administrator becomes a user with the role, once", async () => {
  await leased(async (tx, tenant, token) => {
    const profile = {
      loginName: "ada@acme",
      email: "ada@acme.example",
      givenName: "Ada",
      familyName: "Byron",
    };
    const settleAdministrator = async () =>
      (await tx`
      select private.settle_administrator(${tenant}, ${token}, 'http://zitadel.test', '380000000000000001', ${
        tx.json(profile)
      }) as id`)[0]!.id;
    const user = await settleAdministrator();
    assert.equal(await settleAdministrator(), user);
    await asOwner(tx, async () => {
      const [row] =
        await tx`select home_tenant_id, login_name, given_name from public.users where id = ${user}`;
      assert.deepEqual({ ...row }, {
        home_tenant_id: tenant,
        login_name: "ada@acme",
        given_name: "Ada",
      });
      const roles =
        await tx`select tenant_id, role_key from public.assignments where user_id = ${user}`;
      assert.deepEqual([...roles].map((one) => ({ ...one })), [{
        tenant_id: tenant,
        role_key: "tenant_admin",
      }]);
    });
  });
});

Deno.test("SAGA-10 the platform's administrator gets the platform's role and no home", async () => {
  await undone(database().sql, async (tx) => {
    const [lease] = await tx`select private.lease_tenant(${platform}, 'w', 60) as token`;
    const [made] = await tx`select private.settle_administrator(${platform}, ${
      lease!.token
    }, 'http://zitadel.test', '38', '{}') as id`;
    const [row] = await tx`
      select u.home_tenant_id, a.role_key from public.users u join public.assignments a on a.user_id = u.id where u.id = ${
      made!.id
    }`;
    assert.deepEqual({ ...row }, { home_tenant_id: null, role_key: "platform_admin" });
  });
});

Deno.test("SAGA-11 a changed application takes its step back to pending and asks for the saga", async () => {
  await undone(database().sql, async (tx) => {
    await tx`delete from graphile_worker._private_jobs`;
    await tx`update public.apps set enabled = false where id = ${apps.A.id}`;
    const [step] =
      await tx`select state from public.provisioning_steps where tenant_id = ${tenants.A} and name = 'app'`;
    assert.equal(step!.state, "pending");
    assert.deepEqual((await jobs(tx)).map(({ key }) => key), [`tenant__reconcile:${tenants.A}`]);
    const [tenant] = await tx`select status from public.tenants where id = ${tenants.A}`;
    assert.equal(tenant!.status, "active");
  });
});

Deno.test("SAGA-12 HTTP roles reach nothing of it", async () => {
  for (const role of ["anon", "authenticated", "gatehouse_platform", "service_role"]) {
    await undone(database().sql, async (tx) => {
      await tx.unsafe(`set local role ${role}`);
      for (
        const call of [
          `private.lease_tenant('${tenants.A}', 'w', 60)`,
          `private.provisioning_input('${tenants.A}')`,
          `private.settle_step('${tenants.A}', 1, 'organization', 'ok', null, null, null)`,
          `private.settle_administrator('${tenants.A}', 1, 'i', '${people.bob.subject}', '{}')`,
          `private.put_client('i', 'c', 'portal', null, null)`,
          `private.enqueue('tenant__reconcile', '{}')`,
        ]
      ) {
        await assert.rejects(
          tx.savepoint((s) => s.unsafe(`select ${call}`)),
          { code: "42501" },
          `${role} ${call}`,
        );
      }
    });
  }
});
