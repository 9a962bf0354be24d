// TEN: a tenant is changed, suspended, resumed, archived and reconciled; its domains and subscriptions.
import assert from "node:assert/strict";
import type { TransactionSql } from "postgres";
import { apps, as, people, platform, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf, jobs, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

Deno.test("TEN-09 alice renames her tenant: recorded, and ZITADEL is to learn of it", async () => {
  await as(database().sql, "alice", async (tx) => {
    await tx`update public.tenants set name = 'Renamed', branding = '{"color": "#123456"}' where id = ${tenants.A}`;
    await asOwner(tx, async () => {
      const [event] = await eventsOf(tx, tenants.A, "tenant.updated");
      assert.deepEqual(event!.data.before, { name: "Tenant A", branding: {} });
      assert.deepEqual(event!.data.after, { name: "Renamed", branding: { color: "#123456" } });
      assert.equal(
        (await jobs(tx, "tenant__reconcile")).filter(({ payload }) =>
          payload.tenantId === tenants.A
        ).length,
        1,
      );
    });
  }, { arrange: (tx) => tx`delete from graphile_worker._private_jobs` });
});

Deno.test("TEN-10 what provisioning writes sets off no further provisioning", async () => {
  await undone(database().sql, async (tx) => {
    await tx`delete from graphile_worker._private_jobs`;
    await tx`update public.tenants set organization_id = '1', project_id = '2', login_domain = 'a.example', branding = '{"a": 1}' where id = ${tenants.A}`;
    assert.deepEqual(await jobs(tx), []);
    assert.deepEqual(
      (await eventsOf(tx, tenants.A, "tenant.updated")).map(({ data }) => Object.keys(data.after!)),
      [["branding"]],
    );
  });
});

Deno.test("TEN-11 suspended: nothing is written by its members; resumed: again", async () => {
  await as(database().sql, "pat", async (tx) => {
    const rename = () => tx`update public.apps set name = 'renamed' where id = ${apps.A.id}`;
    const [suspended] = await tx`select * from public.suspend_tenant(${tenants.A})`;
    assert.equal(suspended!.status, "suspended");
    await become(tx, "alice");
    assert.equal((await rename()).count, 0);
    assert.equal((await tx`select from public.apps`).length, 1, "she still reads");
    await become(tx, "pat");
    const [resumed] = await tx`select * from public.resume_tenant(${tenants.A})`;
    assert.equal(resumed!.status, "active");
    await become(tx, "alice");
    assert.equal((await rename()).count, 1);
    await asOwner(tx, async () => {
      const types = (await eventsOf(tx, tenants.A, "tenant.%")).map(({ type }) => type);
      assert.deepEqual(types.slice(-2), ["tenant.suspended", "tenant.resumed"]);
    });
  });
});

Deno.test("TEN-12 a status changes only from where it may", async () => {
  const change = (rpc: string, arrange: string) =>
    as(database().sql, "pat", (tx) => tx.unsafe(`select public.${rpc}('${tenants.A}')`), {
      arrange: (tx) => tx`update public.tenants set status = ${arrange} where id = ${tenants.A}`,
    });
  for (
    const [rpc, from] of [
      ["suspend_tenant", "suspended"],
      ["suspend_tenant", "provisioning"],
      ["resume_tenant", "active"],
      ["archive_tenant", "archived"],
      ["resume_tenant", "archived"],
    ] as const
  ) {
    await assert.rejects(
      change(rpc, from),
      refusal("tenant_status_conflict", 409),
      `${rpc} from ${from}`,
    );
  }
  for (const from of ["provisioning", "active", "suspended"]) await change("archive_tenant", from);
  await assert.rejects(
    as(database().sql, "pat", (tx) => tx`select public.archive_tenant(${platform})`),
    refusal("not_allowed", 403),
  );
});

Deno.test("TEN-13 reconcile is for who may change the tenant", async () => {
  const reconcile = (actor: "alice" | "bob" | "eve" | "pat") =>
    as(database().sql, actor, async (tx) => {
      await tx`select public.reconcile_tenant(${tenants.A})`;
      return await asOwner(tx, () => jobs(tx));
    }, { arrange: (tx) => tx`delete from graphile_worker._private_jobs` });
  for (const actor of ["alice", "pat"] as const) {
    assert.deepEqual((await reconcile(actor)).map(({ key }) => key), [
      `tenant__reconcile:${tenants.A}`,
    ]);
  }
  for (const actor of ["bob", "eve"] as const) {
    await assert.rejects(reconcile(actor), refusal("not_allowed", 403));
  }
});

Deno.test("TEN-14 the platform's own reconcile is the instance's", async () => {
  const found = await as(database().sql, "pat", async (tx) => {
    await tx`select public.reconcile_tenant(${platform})`;
    return await asOwner(tx, () => jobs(tx));
  }, { arrange: (tx) => tx`delete from graphile_worker._private_jobs` });
  assert.deepEqual(found, [{
    task: "instance__reconcile",
    key: "instance__reconcile",
    payload: {},
  }]);
});

Deno.test("TEN-15 a proven domain belongs to one tenant in the world, a claim to whoever makes it", async () => {
  await undone(database().sql, async (tx) => {
    await tx`insert into public.tenant_domains (tenant_id, name) values (${tenants.A}, 'acme.example'), (${tenants.E}, 'acme.example')`;
    await tx`update public.tenant_domains set verified_at = now() where tenant_id = ${tenants.A}`;
    await assert.rejects(
      tx.savepoint((s) =>
        s`update public.tenant_domains set verified_at = now() where tenant_id = ${tenants.E}`
      ),
      { code: "23505", constraint_name: "domain_verified_elsewhere" },
    );
    for (
      const name of [
        "acme",
        "Acme.example",
        "a b.example",
        "-a.example",
        "acme.example.",
        "*.acme.example",
        "127.0.0.1",
      ]
    ) {
      await assert.rejects(
        tx.savepoint((s) =>
          s`insert into public.tenant_domains (tenant_id, name) values (${tenants.A}, ${name})`
        ),
        { constraint_name: "domain_malformed" },
        name,
      );
    }
  });
});

Deno.test("TEN-16 alice claims a domain but cannot say that it is proven", async () => {
  await as(database().sql, "alice", async (tx) => {
    const [made] =
      await tx`insert into public.tenant_domains (tenant_id, name) values (${tenants.A}, 'acme.example') returning verified_at, verification_token`;
    assert.equal(made!.verified_at, null);
    assert.match(made!.verification_token, /^gatehouse-[0-9a-f]{32}$/);
    await assert.rejects(
      tx.savepoint((s) =>
        s`insert into public.tenant_domains (tenant_id, name, verified_at) values (${tenants.A}, 'b.example', now())`
      ),
      { code: "42501" },
    );
  });
});

Deno.test("TEN-17 a tenant has one open subscription", async () => {
  await undone(database().sql, async (tx) => {
    await tx`insert into public.subscriptions (tenant_id, plan) values (${tenants.A}, 'gold'), (${tenants.E}, 'gold')`;
    await assert.rejects(
      tx.savepoint((s) =>
        s`insert into public.subscriptions (tenant_id, plan) values (${tenants.A}, 'free')`
      ),
      { constraint_name: "subscription_already_open" },
    );
    await tx`update public.subscriptions set ends_at = starts_at + interval '1 day' where tenant_id = ${tenants.A}`;
    await tx`insert into public.subscriptions (tenant_id, plan) values (${tenants.A}, 'free')`;
  });
});

/** Another of the cast goes on in the same transaction, as if by a further request. */
async function become(
  tx: TransactionSql,
  actor: "alice" | "pat",
): Promise<void> {
  const person = people[actor];
  await tx`reset role`;
  await tx`
    select set_config('gatehouse.principal_id', ${person.id}, true),
      set_config('role', ${actor === "pat" ? "gatehouse_platform" : "authenticated"}, true)`;
}
