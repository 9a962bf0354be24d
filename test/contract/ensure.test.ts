// Every `ensure…` reads first: a second run changes nothing, even while ZITADEL's projections still lag.
import assert from "node:assert/strict";
import { isZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import type { Ensured } from "../../functions/_shared/zitadel/types.ts";
import { suite } from "./support.ts";

const open = suite();

Deno.test("a tenant is made once, whether the next run comes at once or later", async () => {
  const s = open();
  const made = await s.tenant("ensure");
  const { orgId, projectId, userId } = made;
  const application = {
    projectId,
    id: `second-${made.applicationId}`,
    name: "Second",
    kind: "web" as const,
    redirectUris: ["https://shop.example/callback"],
    postLogoutUris: ["https://shop.example/"],
    developmentMode: false,
    enabled: true,
  };
  const steps: (() => Promise<Ensured>)[] = [
    () =>
      s.provisioner.ensureOrganization({
        id: orgId,
        name: `renamed ${orgId}`,
        metadata: { tenant: "1", plan: "größer" },
      }),
    () => s.provisioner.ensureDomainPolicy(orgId, { userLoginMustBeDomain: false }),
    () =>
      s.provisioner.ensureProject({
        orgId,
        id: projectId,
        name: "renamed",
        projectRoleAssertion: true,
        projectAccessRequired: true,
      }),
    () =>
      s.provisioner.ensureRoles(projectId, [
        { key: "member", displayName: "Member" },
        { key: "owner", displayName: "Owner" },
      ]),
    () => s.provisioner.ensureOidcApplication(application),
    () =>
      s.provisioner.ensureHuman({
        orgId,
        id: `human-${userId}`,
        userName: `second-${userId}`,
        email: "second@example.test",
        emailVerified: false,
        givenName: "Second",
        familyName: "Human",
      }),
    () => s.provisioner.ensureMachine({ orgId, userName: `robot-${userId}`, name: "Robot" }),
    () =>
      s.provisioner.ensureAdministrator({
        userId,
        resource: { organizationId: orgId },
        roles: ["ORG_OWNER"],
      }),
    () => s.provisioner.ensureAuthorization({ userId, projectId, orgId, roleKeys: ["member"] }),
  ];
  for (const step of steps) assert.equal((await step()).changed, true, step.toString());
  for (const [n, step] of steps.entries()) {
    const { changed } = await step();
    // An organization's metadata may be written once more while its list lags: ZITADEL has no refusal for that.
    if (n > 0) assert.equal(changed, false, step.toString());
  }
  await s.settle();
  const before = (await s.eventsOf(orgId)).length;
  for (const step of steps) assert.equal((await step()).changed, false, step.toString());
  assert.equal((await s.eventsOf(orgId)).length, before, "no event since");
});

Deno.test("what differs is written, and only that", async () => {
  const s = open();
  const { orgId, projectId, userId } = await s.tenant("differ");
  await s.provisioner.ensureRoles(projectId, [{ key: "a", displayName: "A" }, {
    key: "b",
    displayName: "B",
  }]);
  await s.provisioner.ensureAuthorization({ userId, projectId, orgId, roleKeys: ["a"] });
  await s.settle();
  const last = (await s.eventsOf(orgId)).at(-1)!.createdAt;
  await s.provisioner.ensureProject({
    orgId,
    id: projectId,
    name: "differ",
    projectAccessRequired: false,
  });
  await s.provisioner.ensureRoles(projectId, [{ key: "a", displayName: "Other" }], { exact: true });
  await s.provisioner.ensureAuthorization({ userId, projectId, orgId, roleKeys: [] });
  assert.deepEqual((await s.eventsOf(orgId, last)).map((event) => event.type), [
    "project.changed",
    "project.role.changed",
    "project.role.removed",
    "user.grant.changed",
  ]);
});

Deno.test("a name that another organization has is refused, and the id stays free", async () => {
  const s = open();
  const { orgId } = await s.tenant("taken");
  const { name } = (await s.provisioner.getOrganization(orgId))!;
  await assert.rejects(
    s.provisioner.ensureOrganization({ id: `other-${orgId}`, name }),
    (error) => isZitadelError(error, "already_exists", "V3-DKcYh"),
  );
  assert.equal(await s.provisioner.getOrganization(`other-${orgId}`), null);
});

Deno.test("organizations, users and applications are switched off and on again, each once", async () => {
  const s = open();
  const { orgId, userId, projectId, applicationId } = await s.tenant("switch");
  const application = (enabled: boolean) =>
    s.provisioner.ensureOidcApplication({
      projectId,
      id: applicationId,
      name: "switch",
      kind: "spa",
      redirectUris: ["http://127.0.0.1:3999/callback"],
      postLogoutUris: ["http://127.0.0.1:3999/bye"],
      developmentMode: true,
      enabled,
    });
  for (const state of ["inactive", "active"] as const) {
    for (const changed of [true, false]) {
      assert.equal((await s.provisioner.ensureOrganizationState(orgId, state)).changed, changed);
      assert.equal((await s.provisioner.ensureUserState(userId, state)).changed, changed);
      assert.equal((await application(state === "active")).changed, changed);
    }
    await s.settle();
  }
});

Deno.test("instance settings are written when they differ, and read back", async () => {
  const s = open();
  if (!s.instance.ours) return; // they would change a ZITADEL that people use
  const steps: (() => Promise<Ensured>)[] = [
    () => s.provisioner.ensureLoginV2({ baseUri: "http://127.0.0.1:3999/widget" }),
    () =>
      s.provisioner.ensureOidcSettings({
        accessTokenLifetimeSeconds: 600,
        idTokenLifetimeSeconds: 600,
        refreshTokenIdleSeconds: 86_400,
        refreshTokenLifetimeSeconds: 864_000,
      }),
    () =>
      s.provisioner.ensureSecurityPolicy({
        embeddedOrigins: ["https://shop.example"],
        enableImpersonation: false,
      }),
    () =>
      s.provisioner.ensureEventHint({
        name: "hint",
        endpoint: "http://127.0.0.1:3999/hints",
        timeoutMs: 2000,
        eventGroups: ["user", "session"],
      }),
  ];
  for (const step of steps) assert.equal((await step()).changed, true, step.toString());
  await s.settle();
  for (const step of steps) assert.equal((await step()).changed, false, step.toString());
});
