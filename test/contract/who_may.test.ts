// Who may: the provisioner, the login client, the event reader, an organization's owner, and people with no role at all.
import assert from "node:assert/strict";
import { wire } from "../../functions/_shared/zitadel/call.ts";
import { isZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import { eventReader } from "../../functions/_shared/zitadel/event_reader.ts";
import { provisioner } from "../../functions/_shared/zitadel/provisioner.ts";
import { type Suite, suite, type Tenant } from "./support.ts";

const open = suite();
const denied = (error: unknown) => isZitadelError(error, "permission_denied");

/** Calls with the access token of somebody who signed in and asked for ZITADEL's own audience. */
async function asPerson(
  s: Suite,
  tenant: Tenant,
  scope = "openid urn:zitadel:iam:org:project:id:zitadel:aud",
) {
  const { access_token } = await s.signIn(tenant, tenant.userId, { scope });
  const tokenFile = await Deno.makeTempFile({ prefix: "gatehouse-token-" });
  await Deno.writeTextFile(tokenFile, access_token);
  const config = { ...s.instance.config("provisioner"), tokenFile };
  return {
    wire: wire(config),
    provisioner: provisioner(config),
    [Symbol.asyncDispose]: () => Deno.remove(tokenFile),
  };
}

Deno.test("the provisioner cannot link a session to an auth request", async () => {
  const s = open();
  const tenant = await s.tenant("link");
  const { authRequestId } = await s.authorize(tenant);
  const session = await s.session(tenant.userId);
  await assert.rejects(
    s.asProvisioner.connect("zitadel.oidc.v2.OIDCService", "CreateCallback", {
      authRequestId,
      session,
    }),
    denied,
  );
  await s.login.createCallback(authRequestId, session); // and the refusal used nothing up
});

Deno.test("the login client makes no organization, project or application, and reads no events", async () => {
  const s = open();
  const { orgId, projectId } = await s.tenant("login");
  const asLoginClient = provisioner(s.instance.config("login-client"));
  const id = crypto.randomUUID();
  await assert.rejects(asLoginClient.ensureOrganization({ id, name: id }), denied);
  await assert.rejects(asLoginClient.ensureProject({ orgId, id, name: id }), denied);
  await assert.rejects(
    asLoginClient.ensureRoles(projectId, [{ key: "x", displayName: "x" }]),
    denied,
  );
  await assert.rejects(asLoginClient.createWebKey(), denied);
  await assert.rejects(eventReader(s.instance.config("login-client")).listEvents({}), denied);
});

Deno.test("the event reader reads, and writes nothing", async () => {
  const s = open();
  const { orgId, userId } = await s.tenant("reader");
  const asReader = provisioner(s.instance.config("event-reader"));
  assert.equal((await asReader.getOrganization(orgId))?.id, orgId);
  await assert.rejects(asReader.setPassword(userId, "Other-Horse-8"), denied);
  await assert.rejects(asReader.ensureUserState(userId, "inactive"), denied);
});

Deno.test("a tenant's first administrator, who has no manager role, opens nothing of the manager API", async () => {
  const s = open();
  const [own, other] = [await s.tenant("boss"), await s.tenant("stranger")];
  await using person = await asPerson(s, own);
  const id = crypto.randomUUID();
  await assert.rejects(person.provisioner.ensureOrganization({ id, name: id }), denied);
  await assert.rejects(
    person.provisioner.ensureRoles(own.projectId, [{ key: "x", displayName: "x" }]),
    denied,
  );
  await assert.rejects(person.provisioner.setPassword(other.userId, "Other-Horse-8"), denied);
  await assert.rejects(
    person.provisioner.ensureAdministrator({
      userId: own.userId,
      resource: { instance: true },
      roles: ["IAM_OWNER"],
    }),
    denied,
  );
  await assert.rejects(
    person.wire.connect("zitadel.user.v2.UserService", "UpdateUser", {
      userId: own.userId,
      human: { email: { email: "boss@elsewhere.test", isVerified: true } },
    }),
    denied,
  );
  await assert.rejects(person.wire.rest("GET", "/management/v1/policies/login"), denied);
  await assert.rejects(person.wire.rest("GET", "/admin/v1/settings/oidc"), denied);
  const { result = [] } = await person.wire.connect<{ result?: { userId: string }[] }>(
    "zitadel.user.v2.UserService",
    "ListUsers",
    {},
  );
  assert.deepEqual(result.map((user) => user.userId), [own.userId], "only themselves");
});

Deno.test("an organization's owner manages their own and no other, and deletes no application", async () => {
  const s = open();
  const [own, other] = [await s.tenant("owner"), await s.tenant("other")];
  await s.provisioner.ensureAdministrator({
    userId: own.userId,
    resource: { organizationId: own.orgId },
    roles: ["ORG_OWNER"],
  });
  await using person = await asPerson(s, own);
  await person.provisioner.ensureRoles(own.projectId, [{ key: "x", displayName: "x" }]);
  await assert.rejects(
    person.provisioner.ensureRoles(other.projectId, [{ key: "x", displayName: "x" }]),
    denied,
  );
  await assert.rejects(
    person.provisioner.removeApplication(own.projectId, own.applicationId),
    denied,
  );
});

Deno.test("a token without ZITADEL's own audience opens nothing, and no token neither", async () => {
  const s = open();
  const tenant = await s.tenant("audience");
  await using person = await asPerson(s, tenant, "openid");
  await assert.rejects(
    person.provisioner.getOrganization(tenant.orgId),
    (error) => isZitadelError(error, "unauthenticated"),
  );
  const bare = await fetch(
    `${s.instance.url}/zitadel.org.v2.OrganizationService/ListOrganizations`,
    {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    },
  );
  assert.equal(bare.status, 401);
  await bare.body?.cancel();
});

Deno.test("an organization that is not there is no context", async () => {
  const s = open();
  await assert.rejects(
    s.asProvisioner.rest("GET", "/management/v1/policies/login", undefined, { orgId: "nowhere" }),
    (error) => isZitadelError(error, "permission_denied", "AUTH-Bs7Ds"),
  );
});
