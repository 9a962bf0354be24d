import assert from "node:assert/strict";
import fc from "fast-check";
import { derivedId } from "../../functions/provision/ids.ts";
import { platformTenantId } from "../../functions/provision/instance.ts";
import { StepFailed } from "../../functions/provision/saga.ts";
import { House, Killed } from "./provision_support.ts";

const done = (changed: boolean) => ({ kind: "done", status: "active", changed });

async function settings(house: House): Promise<Record<string, unknown>> {
  const rows = await house.database
    .sql`select key, value from public.settings where key like 'zitadel.%'`;
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

Deno.test("ZITADEL itself is prepared, once", async (t) => {
  await using house = await House.open({ prepared: false });
  const { zitadel, database: { sql } } = house;
  const project = derivedId("project", platformTenantId);

  await t.step("the first run makes everything and tells the rest of the house", async () => {
    assert.deepEqual(await house.prepare(), done(true));
    assert.equal(await house.states(platformTenantId), "ok ok ok ok ok ok ok ok ok skipped ok");

    const known = await settings(house);
    assert.equal(known["zitadel.platform_organization_id"], platformTenantId);
    assert.equal(known["zitadel.project_id"], project);
    assert.notEqual((await zitadel.getDefaultOrganization()).id, platformTenantId);

    const [issuer] = await sql`select * from private.issuers where kind = 'zitadel'`;
    assert.deepEqual({ ...issuer }, {
      issuer: house.issuer,
      kind: "zitadel",
      audience: project,
      jwks_uri: `${house.issuer}/oauth/v2/keys`,
    });
    const keys =
      await sql`select kid from private.verification_keys where issuer = ${house.issuer}`;
    assert.ok(keys.length > 0);
    const [client] = await sql`
      select kind from private.clients where client_id = ${known[
      "zitadel.portal_client_id"
    ] as string}`;
    assert.equal(client!.kind, "portal");
  });

  await t.step(
    "the bootstrap administrator has the chosen id and the platform's role",
    async () => {
      const { administrator } = house.facts;
      assert.equal((await zitadel.getUser(administrator.id))?.orgId, platformTenantId);
      const rows = await sql`
      select u.subject, a.tenant_id, a.role_key from public.assignments a
        join public.users u on u.id = a.user_id`;
      assert.deepEqual(rows.map((row) => ({ ...row })), [
        { subject: administrator.id, tenant_id: platformTenantId, role_key: "platform_admin" },
      ]);
      const hashes = JSON.stringify(await house.steps(platformTenantId));
      assert.ok(!hashes.includes(administrator.password));
    },
  );

  await t.step("a second run writes nothing, here or there", async () => {
    const before = [
      await house.events(),
      await house.steps(platformTenantId),
      await settings(house),
    ];
    assert.deepEqual(await house.prepare(), done(false));
    assert.deepEqual(
      [await house.events(), await house.steps(platformTenantId), await settings(house)],
      before,
    );
  });

  await t.step("a new public address moves the sign-in page and the portal", async () => {
    const base = "https://id.example/acme-prefix";
    const facts = { functionsUrl: `${base}/functions/v1`, portalUrl: `${base}/portal/` };
    assert.deepEqual(await house.prepare({ facts }), done(true));
    const login = await zitadel.ensureLoginV2({ baseUri: `${base}/functions/v1/widget` });
    assert.equal(login.changed, false);
    const steps = await house.steps(platformTenantId);
    assert.deepEqual([steps.features!.attempts, steps.portal_app!.attempts], [2, 2]);
    assert.equal(steps.organization!.attempts, 1);
    assert.deepEqual(await house.prepare({ facts }), done(false));
    assert.deepEqual(await house.prepare(), done(true)); // and back
  });

  await t.step("what somebody changed in ZITADEL is put right", async () => {
    await zitadel.ensureOidcSettings({
      accessTokenLifetimeSeconds: 43_200,
      idTokenLifetimeSeconds: 43_200,
      refreshTokenIdleSeconds: 86_400,
      refreshTokenLifetimeSeconds: 86_400,
    });
    await zitadel.removeApplication(project, derivedId("app", platformTenantId, "portal"));
    const before = await settings(house);
    assert.deepEqual(await house.prepare(), done(true));
    const lifetimes = await zitadel.ensureOidcSettings({
      accessTokenLifetimeSeconds: 600,
      idTokenLifetimeSeconds: 3_600,
      refreshTokenIdleSeconds: 2_592_000,
      refreshTokenLifetimeSeconds: 7_776_000,
    });
    assert.equal(lifetimes.changed, false);
    assert.notEqual(
      (await settings(house))["zitadel.portal_client_id"],
      before["zitadel.portal_client_id"],
    );
  });

  await t.step(
    "another administrator in the file is another administrator, the first one stays",
    async () => {
      const administrator = {
        ...house.facts.administrator,
        id: "rescue",
        userName: "rescue",
        email: "rescue@gatehouse.example",
      };
      assert.deepEqual(await house.prepare({ facts: { administrator } }), done(true));
      const rows = await sql`
      select u.subject from public.assignments a join public.users u on u.id = a.user_id order by 1`;
      assert.deepEqual(rows.map(({ subject }) => subject), [
        house.facts.administrator.id,
        "rescue",
      ]);
    },
  );

  await t.step("ZITADEL away: the step says so, the next run goes on", async () => {
    await house.stopZitadel();
    await assert.rejects(
      house.prepare(),
      (error) => error instanceof StepFailed && error.fault.slug === "zitadel_unreachable",
    );
    assert.equal((await house.steps(platformTenantId)).organization!.state, "error");
    await house.startZitadel();
    assert.equal((await house.prepare()).kind, "done");
    assert.equal(await house.countEvents("org.added", platformTenantId), 1);
  });
});

Deno.test("preparing ZITADEL, cut off at any boundary, is finished by the next run", async (t) => {
  const names: string[] = [];
  {
    await using house = await House.open({ prepared: false });
    await house.prepare({
      onBoundary: (name) => {
        names.push(name);
      },
    });
  }
  // Each cut takes a ZITADEL of its own, 2 s: a seeded sample in `npm test`, all of them with FULL=1.
  const all = [...names.entries()];
  const sample = fc.shuffledSubarray(all, { minLength: 6, maxLength: 6 });
  const cuts = Deno.env.get("FULL") ? all : fc.sample(sample, { numRuns: 1, seed: 7 })[0]!;
  for (const [at, name] of cuts) {
    await t.step(`${at} ${name}`, async () => {
      await using house = await House.open({ prepared: false });
      let passed = 0;
      const onBoundary = () => {
        if (passed++ === at) throw new Killed();
      };
      await assert.rejects(house.prepare({ onBoundary }), Killed);
      assert.equal((await house.prepare()).kind, "done");
      const before = await house.events();
      assert.deepEqual(await house.prepare(), done(false));
      assert.equal(await house.events(), before);
      assert.equal(await house.countEvents("org.added", platformTenantId), 1);
    });
  }
});
