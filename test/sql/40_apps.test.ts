// APP: alice administers A, bob is a member of A, eve administers E.
import assert from "node:assert/strict";
import { apps, as, people, portalClientId, refusal, tenants } from "../support/actors.ts";
import { asOwner, eventsOf, jobs, undone } from "../support/log.ts";
import { suiteDatabase } from "../support/suite.ts";

const database = suiteDatabase();

Deno.test("APP-01 alice makes an application: pending, on record, and the saga is asked for", async () => {
  await as(database().sql, "alice", async (tx) => {
    const [app] = await tx`
      insert into public.apps (tenant_id, name, kind, redirect_uris)
      values (${tenants.A}, 'till', 'web', ${[
      "https://till.example/cb",
    ]}) returning id, state, client_id`;
    assert.deepEqual([app!.state, app!.client_id], ["pending", null]);
    await asOwner(tx, async () => {
      const event = (await eventsOf(tx, tenants.A, "app.created")).at(-1)!;
      assert.deepEqual(event.targets, [{ kind: "app", id: app!.id }]);
      assert.equal(
        (await jobs(tx, "tenant__reconcile")).filter(({ payload }) =>
          payload.tenantId === tenants.A
        ).length,
        1,
      );
    });
  }, { arrange: (tx) => tx`delete from graphile_worker._private_jobs` });
});

Deno.test("APP-02 many changes in one transaction are one job", async () => {
  const found = await as(database().sql, "alice", async (tx) => {
    for (const name of ["one", "two", "three"]) {
      await tx`insert into public.apps (tenant_id, name) values (${tenants.A}, ${name})`;
    }
    await tx`update public.apps set enabled = false`;
    return await asOwner(tx, () => jobs(tx));
  }, { arrange: (tx) => tx`delete from graphile_worker._private_jobs` });
  assert.deepEqual(found.map(({ key }) => key), [`tenant__reconcile:${tenants.A}`]);
});

Deno.test("APP-03 another tenant sees and changes nothing of it", async () => {
  await as(database().sql, "eve", async (tx) => {
    assert.equal((await tx`select from public.apps where id = ${apps.A.id}`).length, 0);
    assert.equal((await tx`update public.apps set name = 'mine' where id = ${apps.A.id}`).count, 0);
    await assert.rejects(
      tx.savepoint((s) =>
        s`insert into public.apps (tenant_id, name) values (${tenants.A}, 'trojan')`
      ),
      { code: "42501" },
    );
    await assert.rejects(
      tx.savepoint((s) => s`update public.apps set tenant_id = ${tenants.A}`),
      { code: "42501" },
    );
  });
});

Deno.test("APP-04 a name is taken once in a tenant, and free in another", async () => {
  await assert.rejects(
    as(
      database().sql,
      "alice",
      (tx) => tx`insert into public.apps (tenant_id, name) values (${tenants.A}, 'shop')`,
    ),
    { code: "23505", constraint_name: "app_name_taken" },
  );
  await as(
    database().sql,
    "eve",
    (tx) => tx`insert into public.apps (tenant_id, name) values (${tenants.E}, 'another')`,
  );
});

Deno.test("APP-05 names have no blank ends, no control characters, and 200 characters at most", async () => {
  for (const name of ["", " shop", "shop ", "sh\nop", "x".repeat(201)]) {
    await assert.rejects(
      as(
        database().sql,
        "alice",
        (tx) => tx`insert into public.apps (tenant_id, name) values (${tenants.A}, ${name})`,
      ),
      { constraint_name: "app_name_malformed" },
      JSON.stringify(name),
    );
  }
});

Deno.test("APP-06 a confidential application does not turn public, and nobody writes what ZITADEL confirms", async () => {
  for (
    const column of [
      "kind",
      "state",
      "client_id",
      "application_id",
      "last_error",
      "id",
      "tenant_id",
    ]
  ) {
    for (const actor of ["alice", "pat"] as const) {
      await assert.rejects(
        as(
          database().sql,
          actor,
          (tx) => tx.unsafe(`update public.apps set ${column} = ${column}`),
        ),
        { code: "42501" },
        `${actor} ${column}`,
      );
    }
  }
});

Deno.test("APP-07 nobody removes an application: it is disabled", async () => {
  for (const actor of ["alice", "pat"] as const) {
    await assert.rejects(as(database().sql, actor, (tx) => tx`delete from public.apps`), {
      code: "42501",
    });
  }
});

const widgetClient = async (clientId: string, arrange?: string) =>
  await undone(database().sql, async (tx) => {
    if (arrange) await tx.unsafe(arrange);
    await tx`set local role gatehouse_functions`;
    const [row] = await tx`select private.widget_client(${clientId}) as client`;
    return row!.client;
  });

Deno.test("APP-08 the sign-in page learns of a client what it needs", async () => {
  assert.deepEqual(await widgetClient(apps.A.clientId), {
    kind: "app",
    tenantId: tenants.A,
    tenantName: "Tenant A",
    tenantStatus: "active",
    organizationId: "340000000000000001",
    inlineEnabled: false,
    inlineOrigins: ["https://shop.example"],
    loginDomain: null,
    appId: apps.A.id,
    appName: "shop",
    enabled: true,
  });
  const portal = await widgetClient(portalClientId);
  assert.deepEqual([portal.kind, portal.tenantId, portal.appName], [
    "portal",
    "00000000-0000-7000-8000-000000000000",
    "Gatehouse portal",
  ]);
  assert.equal(await widgetClient("nobody"), null);
});

Deno.test("APP-09 a disabled, a pending and a suspended application say so", async () => {
  assert.equal(
    (await widgetClient(apps.A.clientId, "update public.apps set enabled = false")).enabled,
    false,
  );
  assert.equal(
    (await widgetClient(apps.A.clientId, "update public.apps set state = 'error'")).enabled,
    false,
  );
  assert.equal(
    (await widgetClient(
      apps.A.clientId,
      "update public.tenants set status = 'suspended' where kind = 'customer'",
    )).tenantStatus,
    "suspended",
  );
});

Deno.test("APP-10 a login name finds its organization by what follows the last @, or by who is known by it, else the platform's", async () => {
  await undone(database().sql, async (tx) => {
    await tx`update public.tenants set login_domain = 'a.gatehouse.test' where id = ${tenants.A}`;
    await tx`update public.tenants set login_domain = 'e.gatehouse.test', status = 'archived' where id = ${tenants.E}`;
    await tx`select private.put_setting('zitadel.platform_organization_id', '"390000000000000009"')`;
    await tx`set local role gatehouse_functions`;
    const find = async (name: string) =>
      (await tx`select private.find_login_organization(${name}) as o`)[0]!.o.organizationId;
    const platform = "390000000000000009";
    assert.equal(await find("ada@A.gatehouse.test"), "340000000000000001");
    assert.equal(await find("ada@acme.example@a.gatehouse.test"), "340000000000000001");
    const known = async (email: string, home: string | null, login: string, verified = true) =>
      await asOwner(tx, () =>
        tx`
        insert into public.users (issuer, subject, home_tenant_id, login_name, email, email_verified)
        values ('https://people.test', ${crypto.randomUUID()}, ${home}, ${login}, ${email}, ${verified})`);
    await known("ada@mail.test", tenants.A, "ada@mail.test@a.gatehouse.test");
    await known("both@mail.test", tenants.A, "both@a.gatehouse.test");
    await known("both@mail.test", null, "both");
    await known("unsure@mail.test", tenants.A, "unsure@a.gatehouse.test", false);
    await known("gone@mail.test", tenants.E, "gone@e.gatehouse.test");
    assert.equal(await find("Ada@mail.test"), "340000000000000001", "by a verified address");
    for (
      const name of [
        "both@mail.test",
        "unsure@mail.test",
        "gone@mail.test",
        "ada",
        "",
        "ada@",
        "ada@elsewhere.test",
        "x@e.gatehouse.test",
        "a.gatehouse.test",
      ]
    ) {
      assert.equal(await find(name), platform, name);
    }
  });
});

Deno.test("APP-11 a new secret is for who may change applications, for a web application that is active, and on record", async () => {
  const begin = (actor: "alice" | "bob" | "eve", arrange: string, app: string = apps.A.id) =>
    as(database().sql, actor, async (tx) => {
      const [row] = await tx`select private.begin_app_secret(${tenants.A}, ${app}) as ids`;
      return await asOwner(
        tx,
        async () => ({
          ids: row!.ids,
          events: await eventsOf(tx, tenants.A, "app.secret_rotated"),
        }),
      );
    }, { arrange: (tx) => tx.unsafe(arrange) });
  const web = "update public.apps set kind = 'web', application_id = '36'";
  const { ids, events } = await begin("alice", web);
  assert.deepEqual(ids, {
    clientId: apps.A.clientId,
    applicationId: "36",
    projectId: null,
    organizationId: "340000000000000001",
  });
  assert.deepEqual(events[0]!.actor, { kind: "user", id: people.alice.id });
  await assert.rejects(begin("bob", web), refusal("not_allowed", 403));
  await assert.rejects(begin("eve", web), refusal("not_allowed", 403));
  await assert.rejects(begin("alice", web, apps.E.id), refusal("app_not_found", 404));
  await assert.rejects(begin("alice", "select 1"), refusal("app_not_confidential", 409));
  await assert.rejects(begin("alice", `${web}, state = 'pending'`), refusal("app_not_ready", 409));
});

Deno.test("APP-12 a provider holds no secret and is its tenant's", async () => {
  await as(database().sql, "alice", async (tx) => {
    await tx`insert into public.providers (tenant_id, name, kind) values (${tenants.A}, 'staff', 'ldap')`;
    assert.equal((await tx`select state from public.providers`)[0]!.state, "pending");
    await assert.rejects(
      tx.savepoint((s) => s`update public.providers set idp_id = '1'`),
      { code: "42501" },
    );
  });
});
