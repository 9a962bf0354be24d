import assert from "node:assert/strict";
import { derivedId } from "../../functions/provision/ids.ts";
import { StepFailed } from "../../functions/provision/saga.ts";
import { House } from "./provision_support.ts";

const tenantLike = (slug: string) => ({
  slug,
  admin: { email: "alice@acme.example" },
  apps: [{ name: "Shop" }],
});

Deno.test("ZITADEL half done: answers that get lost, reads that are late", async (t) => {
  await using house = await House.open();
  const { zitadel, database: { sql } } = house;
  const made = async (id: string) => [
    await house.countEvents("org.added", id),
    await house.countEvents("project.added", derivedId("project", id)),
    await house.countEvents(
      "user.human.added",
      derivedId("administrator", id, "alice@acme.example"),
    ),
  ];

  const writes: string[] = [];
  await t.step("the writes of a saga", async () => {
    const id = await house.createTenant(tenantLike("all-writes"));
    await house.reconcile(id, {
      onBoundary: (name) => {
        if (name.startsWith("before:zitadel:")) writes.push(name.slice("before:zitadel:".length));
      },
    });
    assert.ok(writes.includes("AddOrganization") && writes.includes("CreateApplication"));
  });

  for (const method of new Set(writes.filter((name) => /^\w+$/.test(name)))) {
    await t.step(`the answer of ${method} gets lost, and nothing is made twice`, async () => {
      const id = await house.createTenant(tenantLike(`lost-${method.toLowerCase()}`));
      const lost = { method, times: 1, code: "unavailable", afterwards: true } as const;
      await house.trouble({ failures: [lost] });
      await assert.rejects(house.reconcile(id), StepFailed);
      const open = Object.values(await house.steps(id)).filter(({ state }) => state === "error");
      assert.deepEqual(open.map((step) => step.last_error?.slug), ["zitadel_unreachable"]);

      assert.equal((await house.reconcile(id)).kind, "done");
      assert.equal(await house.status(id), "active");
      assert.deepEqual(await made(id), [1, 1, 1]);
      const before = await house.events();
      assert.deepEqual(await house.reconcile(id), {
        kind: "done",
        status: "active",
        changed: false,
      });
      assert.equal(await house.events(), before);
    });
  }

  await t.step(
    "a credential without the right: the step says so, and the queue keeps trying",
    async () => {
      const id = await house.createTenant(tenantLike("denied"));
      const denied = {
        method: "CreateProject",
        times: 1,
        code: "permission_denied",
        afterwards: false,
      };
      await house.trouble({ failures: [denied as never] });
      await assert.rejects(house.reconcile(id), StepFailed);
      assert.equal((await house.steps(id)).project!.last_error?.slug, "zitadel_denied");
      assert.equal((await house.reconcile(id)).kind, "done");
    },
  );

  await t.step("reads that are a second late make nothing twice", async () => {
    await house.trouble({ lagMs: 1_000 });
    const id = await house.createTenant(tenantLike("late"));
    assert.equal((await house.reconcile(id)).kind, "done");
    assert.equal(await house.status(id), "active");
    await house.reconcile(id);
    assert.deepEqual(await made(id), [1, 1, 1]);
    const [tenant] = await sql`select login_domain from public.tenants where id = ${id}`;
    const [user] = await sql`
      select login_name from public.users where subject = ${
      derivedId("administrator", id, "alice@acme.example")
    }`;
    assert.equal(user!.login_name, `alice@acme.example@${tenant!.login_domain}`);
    await house.trouble({ lagMs: 0 });
  });

  await t.step("what a late read hid is found by the look that follows a change", async () => {
    const id = await house.createTenant(tenantLike("hidden"));
    await house.reconcile(id);
    const enable = (enabled: boolean) =>
      sql`update public.apps set enabled = ${enabled} where tenant_id = ${id}`;
    await new Promise((resolve) => setTimeout(resolve, 50));
    await house.trouble({ lagMs: 1_000 });
    await enable(false);
    await house.reconcile(id);
    await enable(true);
    // The read still shows the application as it was before: nothing seems to differ, and nothing is written.
    const hidden = await house.reconcile(id);
    assert.deepEqual(hidden, { kind: "done", status: "active", changed: true });
    await house.trouble({ lagMs: 0 });
    // As the job that `changed` queues.
    assert.deepEqual(await house.reconcile(id), { kind: "done", status: "active", changed: true });
    assert.deepEqual(await house.reconcile(id), { kind: "done", status: "active", changed: false });
    assert.equal((await zitadel.getOrganization(id))?.state, "active");
    const [app] = await sql`select id from public.apps where tenant_id = ${id}`;
    const twin = await zitadel.ensureOidcApplication({
      projectId: derivedId("project", id),
      id: app!.id,
      name: "Shop",
      kind: "spa",
      redirectUris: ["https://shop.example/callback"],
      postLogoutUris: [],
      developmentMode: false,
      enabled: true,
    });
    assert.equal(twin.changed, false);
  });
});
