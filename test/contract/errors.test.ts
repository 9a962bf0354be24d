// ZITADEL's refusals by code and id: the ones that the adapter reads as "go on", and the ones that it passes on.
import assert from "node:assert/strict";
import { type ZitadelCode, ZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import { password, suite } from "./support.ts";

const open = suite();
const services = {
  org: "zitadel.org.v2.OrganizationService",
  project: "zitadel.project.v2.ProjectService",
  application: "zitadel.application.v2.ApplicationService",
  user: "zitadel.user.v2.UserService",
  permission: "zitadel.internal_permission.v2.InternalPermissionService",
  authorization: "zitadel.authorization.v2.AuthorizationService",
};

const call = (service: keyof typeof services, method: string, body: object) =>
  open().asProvisioner.connect<Record<string, string>>(services[service], method, body);

async function refused(made: Promise<unknown>, code: ZitadelCode, id: string): Promise<void> {
  const error = await made.then(() => null, (error: unknown) => error);
  assert.ok(error instanceof ZitadelError, `expected ${code} ${id}`);
  assert.deepEqual([error.code, error.id], [code, id]);
}

const human = {
  profile: { givenName: "A", familyName: "B" },
  email: { email: "a@example.test", isVerified: true },
};

Deno.test("an id that is taken is refused in each service's own way", async () => {
  const { orgId, projectId, applicationId, userId } = await open().tenant("ids");
  const fresh = () => crypto.randomUUID();
  await refused(
    call("org", "AddOrganization", { name: fresh(), organizationId: orgId }),
    "already_exists",
    "ORG-laho2n",
  );
  const project = { organizationId: orgId, projectId, name: fresh() };
  await refused(call("project", "CreateProject", project), "already_exists", "COMMAND-opamwu");
  const oidcConfiguration = { redirectUris: ["https://shop.example/"] };
  const application = { projectId, applicationId, name: fresh(), oidcConfiguration };
  await refused(
    call("application", "CreateApplication", application),
    "failed_precondition",
    "PROJECT-lxowmp",
  );
  const user = { organizationId: orgId, userId, username: fresh() };
  await refused(
    call("user", "CreateUser", { ...user, human }),
    "failed_precondition",
    "COMMAND-7yiox1isql",
  );
  await refused(
    call("user", "CreateUser", { ...user, machine: { name: "m" } }),
    "failed_precondition",
    "COMMAND-k2una",
  );
});

Deno.test("a name that is taken is V3-DKcYh, whatever it names", async () => {
  const s = open();
  const { orgId, projectId, userId, userName } = await s.tenant("names");
  const { name } = (await s.provisioner.getOrganization(orgId))!;
  const taken = (made: Promise<unknown>) => refused(made, "already_exists", "V3-DKcYh");
  await taken(call("org", "AddOrganization", { name }));
  await taken(call("org", "AddOrganization", { name: name.toUpperCase() }));
  await taken(call("project", "CreateProject", { organizationId: orgId, name: "names" }));
  const oidcConfiguration = { redirectUris: ["https://shop.example/"] };
  await taken(
    call("application", "CreateApplication", { projectId, name: "names", oidcConfiguration }),
  );
  await taken(call("user", "CreateUser", { organizationId: orgId, username: userName, human }));
  await s.provisioner.ensureRoles(projectId, [{ key: "member", displayName: "Member" }]);
  await taken(
    call("project", "AddProjectRole", { projectId, roleKey: "member", displayName: "M" }),
  );
  const authorization = { userId, projectId, organizationId: orgId, roleKeys: ["member"] };
  await call("authorization", "CreateAuthorization", authorization);
  await taken(call("authorization", "CreateAuthorization", authorization));
});

Deno.test("a manager role is given once", async () => {
  const { orgId, projectId, userId } = await open().tenant("members");
  const resources = [
    [{ organizationId: orgId }, "ORG_OWNER", "ORG-poWwe"],
    [{ projectId }, "PROJECT_OWNER", "PROJECT-PtXi1"],
    [{ instance: true }, "IAM_OWNER_VIEWER", "INSTA-pFDwe"],
  ] as const;
  for (const [resource, role, id] of resources) {
    const body = { userId, resource, roles: [role] };
    await call("permission", "CreateAdministrator", body);
    await refused(call("permission", "CreateAdministrator", body), "already_exists", id);
    await call("permission", "DeleteAdministrator", { userId, resource });
    await call("permission", "DeleteAdministrator", { userId, resource }); // missing is success
  }
});

Deno.test("removing what is not there is success or not_found, by service", async () => {
  const { projectId } = await open().tenant("missing");
  const gone = crypto.randomUUID();
  await call("project", "DeleteProject", { projectId: gone });
  await call("authorization", "DeleteAuthorization", { id: gone });
  await refused(
    call("org", "DeleteOrganization", { organizationId: gone }),
    "not_found",
    "COMMA-aps2n",
  );
  await refused(call("user", "DeleteUser", { userId: gone }), "not_found", "COMMAND-bd4ir1mblj");
  const application = { projectId, applicationId: gone };
  await refused(
    call("application", "DeleteApplication", application),
    "not_found",
    "COMMAND-0po9s",
  );
});

Deno.test("a state that a user is in already is refused", async () => {
  const { userId } = await open().tenant("states");
  const refusals = [
    ["ReactivateUser", "COMMAND-s5qqcz97hf"],
    ["UnlockUser", "COMMAND-olb9vb0oca"],
  ] as const;
  for (const [method, id] of refusals) {
    await refused(call("user", method, { userId }), "failed_precondition", id);
  }
  await call("user", "DeactivateUser", { userId });
  await refused(
    call("user", "DeactivateUser", { userId }),
    "failed_precondition",
    "COMMAND-5gunjw0cd7",
  );
});

Deno.test("an application update that changes nothing is refused", async () => {
  const { projectId, applicationId } = await open().tenant("unchanged");
  const update = { projectId, applicationId, oidcConfiguration: { developmentMode: false } };
  await call("application", "UpdateApplication", update);
  await refused(
    call("application", "UpdateApplication", update),
    "failed_precondition",
    "COMMAND-1m88i",
  );
});

Deno.test("an organization's login policy is made once, then changed", async () => {
  const s = open();
  const { orgId } = await s.tenant("policy");
  const policy = {
    allowUsernamePassword: true,
    allowRegister: false,
    forceMfa: true,
    passwordCheckLifetime: "3600s",
  };
  const path = "/management/v1/policies/login";
  assert.equal((await s.login.loginSettings(orgId)).forceMfa, false);
  await s.asProvisioner.rest("POST", path, policy, { orgId });
  await refused(
    s.asProvisioner.rest("POST", path, policy, { orgId }),
    "already_exists",
    "Org-Dgfb2",
  );
  await s.asProvisioner.rest("PUT", path, { ...policy, passwordCheckLifetime: "60s" }, { orgId });
  await s.settle();
  const { forceMfa, allowRegister, passwordCheckLifetimeSeconds } = await s.login.loginSettings(
    orgId,
  );
  assert.deepEqual([forceMfa, allowRegister, passwordCheckLifetimeSeconds], [true, false, 60]);
});

Deno.test("a password that the complexity policy does not allow is refused at creation too", async () => {
  const { orgId } = await open().tenant("complexity");
  for (const bad of ["Sh0rt-x", "no-upper-1", "NO-LOWER-1", "No-Number", "NoSymbol1"]) {
    const error = await call("user", "CreateUser", {
      organizationId: orgId,
      username: crypto.randomUUID(),
      human: { ...human, password: { password: bad } },
    }).then(() => null, (error: unknown) => error);
    assert.ok(error instanceof ZitadelError && error.code === "invalid_argument", bad);
  }
  const { id } = await call("user", "CreateUser", {
    organizationId: orgId,
    username: crypto.randomUUID(),
    human: { ...human, password: { password } },
  });
  assert.ok(id);
});
