import assert from "node:assert/strict";
import { derivedId } from "../../functions/provision/ids.ts";
import { StepFailed } from "../../functions/provision/saga.ts";
import { House } from "./provision_support.ts";

const alice = { email: "alice@acme.example" };

Deno.test("a tenant's twin in ZITADEL", async (t) => {
  await using house = await House.open();
  const { zitadel, database: { sql } } = house;

  await t.step(
    "a tenant with everything becomes active, and every step says what it made",
    async () => {
      const id = await house.createTenant({ slug: "acme", admin: alice, apps: [{ name: "Shop" }] });
      const project = derivedId("project", id);
      await sql`delete from graphile_worker._private_jobs`;
      assert.deepEqual(await house.reconcile(id), {
        kind: "done",
        status: "active",
        changed: true,
      });

      assert.equal(await house.states(id), "ok ok ok ok ok ok skipped");
      const steps = await house.steps(id);
      const { provider: nothingToDo, ...done } = steps;
      assert.equal(nothingToDo!.attempts, 0);
      for (const step of Object.values(done)) {
        assert.deepEqual([step.attempts, step.last_error], [1, null]);
        assert.match(step.input_hash!, /^[0-9a-f]{64}$/);
      }
      assert.equal(steps.organization!.external_id, id);
      assert.equal(steps.project!.external_id, project);

      const organization = await zitadel.getOrganization(id);
      assert.equal(organization?.name, "Tenant acme");
      const [tenant] = await sql`select * from public.tenants where id = ${id}`;
      assert.equal(tenant!.organization_id, id);
      assert.equal(tenant!.project_id, project);
      assert.equal(tenant!.login_domain, organization!.primaryDomain);

      const [app] = await sql`select * from public.apps where tenant_id = ${id}`;
      assert.deepEqual([app!.state, app!.application_id], ["active", app!.id]);
      const [client] = await sql`select kind, app_id from private.clients where client_id = ${
        app!.client_id
      }`;
      assert.deepEqual({ ...client }, { kind: "app", app_id: app!.id });

      const person = derivedId("administrator", id, alice.email);
      const user = await zitadel.getUser(person);
      assert.deepEqual([user?.orgId, user?.profile?.email], [id, alice.email]);
      const [assignment] = await sql`
      select a.role_key, u.subject, u.login_name from public.assignments a
        join public.users u on u.id = a.user_id where a.tenant_id = ${id}`;
      assert.deepEqual({ ...assignment }, {
        role_key: "tenant_admin",
        subject: person,
        login_name: user!.preferredLoginName,
      });

      const recorded = await sql`
      select type from public.audit_events where tenant_id = ${id} order by recorded_at, type`;
      for (const type of ["tenant.created", "tenant.activated", "app.created", "app.activated"]) {
        assert.equal(recorded.filter((event) => event.type === type).length, 1, type);
      }
      // What the saga writes down must not set off the saga.
      assert.equal(
        (await sql`select from graphile_worker.jobs where key like 'tenant%'`).length,
        0,
      );
    },
  );

  await t.step("a second run writes nothing, here or there", async () => {
    const id = await house.createTenant({ slug: "again", admin: alice, apps: [{ name: "Shop" }] });
    await house.reconcile(id);
    const before = { events: await house.events(), steps: await house.steps(id) };
    assert.deepEqual(await house.reconcile(id), { kind: "done", status: "active", changed: false });
    assert.deepEqual({ events: await house.events(), steps: await house.steps(id) }, before);
  });

  await t.step("a tenant with no application and no administrator is active too", async () => {
    const id = await house.createTenant({ slug: "bare" });
    await house.reconcile(id);
    assert.equal(await house.states(id), "ok ok ok ok skipped skipped skipped");
    assert.equal(await house.status(id), "active");
  });

  await t.step(
    "an application that comes later is made, without touching what is there",
    async () => {
      const id = await house.createTenant({ slug: "later" });
      await house.reconcile(id);
      await sql`insert into public.apps (tenant_id, name, redirect_uris)
      values (${id}, 'Late', ${["https://late.example/"]})`;
      await house.reconcile(id);
      assert.equal(await house.states(id), "ok ok ok ok ok skipped skipped");
      assert.equal((await house.steps(id)).organization!.attempts, 1);
    },
  );

  await t.step("the same person administers two tenants", async () => {
    for (const slug of ["twin-one", "twin-two"]) {
      const id = await house.createTenant({ slug, admin: { email: "twin@example.org" } });
      assert.equal((await house.reconcile(id)).kind, "done");
    }
  });

  await t.step("what somebody changed in ZITADEL is put right", async () => {
    const id = await house.createTenant({ slug: "drift", admin: alice, apps: [{ name: "Shop" }] });
    await house.reconcile(id);
    const [app] = await sql`select id, client_id from public.apps where tenant_id = ${id}`;
    const project = derivedId("project", id);
    await zitadel.removeApplication(project, app!.id);
    await zitadel.ensureProject({ orgId: id, id: project, name: "Tenant drift" }); // every flag off
    await zitadel.ensureDomainPolicy(id, { userLoginMustBeDomain: false });
    await zitadel.ensureOrganization({ id, name: "Renamed by hand" });

    assert.deepEqual(await house.reconcile(id), { kind: "done", status: "active", changed: true });
    assert.equal((await zitadel.getOrganization(id))?.name, "Tenant drift");
    const untouched = await zitadel.ensureProject({
      orgId: id,
      id: project,
      name: "Tenant drift",
      projectAccessRequired: true,
      projectRoleAssertion: true,
    });
    assert.equal(untouched.changed, false);
    const [again] = await sql`select state, client_id from public.apps where tenant_id = ${id}`;
    assert.equal(again!.state, "active");
    assert.notEqual(again!.client_id, app!.client_id); // ZITADEL gave the new one another
    assert.equal((await house.steps(id)).app!.attempts, 2);
    assert.equal((await house.steps(id)).roles!.attempts, 1);
    const before = await house.events();
    await house.reconcile(id);
    assert.equal(await house.events(), before);
  });

  await t.step("who was removed as administrator stays removed", async () => {
    const id = await house.createTenant({ slug: "once", admin: alice, apps: [{ name: "Shop" }] });
    await house.reconcile(id);
    await sql`delete from public.assignments where tenant_id = ${id}`;
    await zitadel.removeUser(derivedId("administrator", id, alice.email));
    await sql`update public.apps set name = 'Other' where tenant_id = ${id}`;
    await house.reconcile(id);
    assert.equal((await sql`select from public.assignments where tenant_id = ${id}`).length, 0);
    assert.equal(await zitadel.getUser(derivedId("administrator", id, alice.email)), null);
  });

  await t.step(
    "a suspended tenant's organization is closed, and opened again with it",
    async () => {
      const id = await house.createTenant({ slug: "closed", admin: alice });
      await house.reconcile(id);
      await sql`update public.tenants set status = 'suspended' where id = ${id}`;
      await house.reconcile(id);
      assert.equal((await zitadel.getOrganization(id))?.state, "inactive");
      await sql`update public.tenants set status = 'active' where id = ${id}`;
      assert.deepEqual(await house.reconcile(id), {
        kind: "done",
        status: "active",
        changed: true,
      });
      assert.equal((await zitadel.getOrganization(id))?.state, "active");
    },
  );

  await t.step("a disabled application signs nobody in any more", async () => {
    const id = await house.createTenant({ slug: "off", apps: [{ name: "Shop" }] });
    await house.reconcile(id);
    await sql`update public.apps set enabled = false where tenant_id = ${id}`;
    assert.deepEqual(await house.reconcile(id), { kind: "done", status: "active", changed: true });
    const [app] = await sql`select id from public.apps where tenant_id = ${id}`;
    assert.equal(
      await house.countEvents("project.application.deactivated", derivedId("project", id)),
      1,
    );
    await sql`update public.apps set enabled = true where id = ${app!.id}`;
    await house.reconcile(id);
    assert.equal(
      await house.countEvents("project.application.reactivated", derivedId("project", id)),
      1,
    );
  });

  await t.step("a tenant that is not there is nothing to do", async () => {
    assert.deepEqual(await house.reconcile(crypto.randomUUID()), { kind: "missing" });
  });
});

Deno.test("what ZITADEL refuses, and when it is away", async (t) => {
  await using house = await House.open();
  const { zitadel, database: { sql } } = house;

  await t.step("a name that is taken: the step says so, and the next name works", async () => {
    await zitadel.ensureOrganization({ id: "somebody-else", name: "Globex" });
    const id = await house.createTenant({
      slug: "globex",
      name: "Globex",
      apps: [{ name: "Shop" }],
    });
    const outcome = await house.reconcile(id);
    assert.equal(outcome.kind, "refused");
    assert.equal(await house.states(id), "error pending pending pending pending pending pending");
    const { organization } = await house.steps(id);
    assert.equal(organization!.last_error?.slug, "name_taken");
    assert.match(organization!.last_error!.detail, /V3-DKcYh/);
    assert.ok(Date.parse(organization!.last_error!.at) > Date.now() - 60_000);
    assert.equal(await house.status(id), "provisioning");

    await sql`delete from graphile_worker._private_jobs`;
    await sql`update public.tenants set name = 'Globex (2)' where id = ${id}`;
    const jobs = await sql`select key from graphile_worker.jobs`;
    assert.deepEqual(jobs.map(({ key }) => key), [`tenant__reconcile:${id}`]);
    await house.reconcile(id);
    assert.equal(await house.status(id), "active");
    assert.equal((await house.steps(id)).organization!.last_error, null);
  });

  await t.step(
    "a redirect URI that ZITADEL would not use: that application says so, the others work",
    async () => {
      const id = await house.createTenant({
        slug: "uris",
        admin: alice,
        apps: [{ name: "Bad" }, { name: "Good" }],
      });
      // Our own lint refuses it before; here it is as if the two disagreed.
      await sql`alter table public.apps disable trigger _100_lint_uris`;
      await sql`update public.apps set redirect_uris = ${["custom.scheme:/callback"]}
      where tenant_id = ${id} and name = 'Bad'`;
      await sql`alter table public.apps enable trigger _100_lint_uris`;
      const outcome = await house.reconcile(id);
      assert.equal(outcome.kind === "refused" && outcome.fault.slug, "redirect_uri_refused");
      assert.equal(await house.states(id), "ok ok ok ok error pending pending");
      const apps = await sql`
      select name, state, last_error ->> 'slug' as slug from public.apps
       where tenant_id = ${id} order by name`;
      assert.deepEqual(apps.map((row) => ({ ...row })), [
        { name: "Bad", state: "error", slug: "redirect_uri_refused" },
        { name: "Good", state: "active", slug: null },
      ]);

      await sql`update public.apps set redirect_uris = ${["https://good.example/"]}
      where tenant_id = ${id} and name = 'Bad'`;
      await house.reconcile(id);
      assert.equal(await house.status(id), "active");
    },
  );

  await t.step(
    "ZITADEL away: the step says so, the queue tries again, and it goes on where it was",
    async () => {
      const id = await house.createTenant({ slug: "away", admin: alice, apps: [{ name: "Shop" }] });
      const away = async (boundary: string) => {
        if (boundary === "after:zitadel:CreateProject") await house.stopZitadel();
      };
      await assert.rejects(
        house.reconcile(id, { onBoundary: away }),
        (error) => error instanceof StepFailed && error.fault.slug === "zitadel_unreachable",
      );
      assert.equal(await house.states(id), "ok ok ok error pending pending pending");
      await assert.rejects(house.reconcile(id), StepFailed);
      const steps = await house.steps(id);
      assert.equal(steps.roles!.attempts, 1);
      // The organization is looked at first, and says why it could not be; it was made, so the tenant's id stays.
      assert.deepEqual([steps.organization!.state, steps.organization!.last_error?.slug], [
        "error",
        "zitadel_unreachable",
      ]);

      await house.startZitadel();
      assert.deepEqual(await house.reconcile(id), {
        kind: "done",
        status: "active",
        changed: true,
      });
      assert.equal(await house.countEvents("org.added", id), 1);
      assert.equal(await house.countEvents("project.added", derivedId("project", id)), 1);
    },
  );

  await t.step("before ZITADEL itself is prepared, tenants wait", async () => {
    const id = await house.createTenant({ slug: "early" });
    await sql`delete from public.settings where key = 'zitadel.portal_client_id'`;
    assert.deepEqual(await house.reconcile(id), { kind: "unfinished" });
    assert.equal((await house.steps(id)).organization!.attempts, 0);
  });
});
