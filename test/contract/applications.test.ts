// Applications: what ZITADEL would keep but never let sign in, and the traps of its update.
import assert from "node:assert/strict";
import { isZitadelError, ZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import type { OidcApplicationInput } from "../../functions/_shared/zitadel/types.ts";
import { suite, type Tenant } from "./support.ts";

const open = suite();
const service = "zitadel.application.v2.ApplicationService";

const input = (
  tenant: Tenant,
  changes: Partial<OidcApplicationInput> = {},
): OidcApplicationInput => ({
  projectId: tenant.projectId,
  id: `app-${crypto.randomUUID()}`,
  name: `App ${crypto.randomUUID()}`,
  kind: "web",
  redirectUris: ["https://shop.example/callback"],
  postLogoutUris: [],
  developmentMode: false,
  enabled: true,
  ...changes,
});

interface Oidc {
  grantTypes?: string[];
  redirectUris?: string[];
  clockSkew?: string;
}

async function read(applicationId: string): Promise<{ name: string; oidcConfiguration: Oidc }> {
  await open().settle();
  return (await open().asProvisioner.connect<
    { application: { name: string; oidcConfiguration: Oidc } }
  >(service, "GetApplication", { applicationId })).application;
}

Deno.test("an application that could not sign anybody in is refused before anything is written", async () => {
  const s = open();
  const tenant = await s.tenant("compliance");
  const bad: Partial<OidcApplicationInput>[] = [
    { redirectUris: ["http://shop.example/callback"] },
    { redirectUris: ["myapp://callback"] },
    { redirectUris: ["https://shop.example/callback#fragment"] },
    { redirectUris: ["nonsense"] },
    { redirectUris: [] },
    { kind: "native", redirectUris: ["http://shop.example/callback"] },
  ];
  for (const changes of bad) {
    await assert.rejects(
      s.provisioner.ensureOidcApplication(input(tenant, changes)),
      (error) => isZitadelError(error, "non_compliant") && error.problems.length === 1,
      JSON.stringify(changes),
    );
  }
  const native = input(tenant, {
    kind: "native",
    redirectUris: ["http://127.0.0.1/callback", "myapp://callback"],
  });
  assert.equal((await s.provisioner.ensureOidcApplication(native)).changed, true);
  const events = (await s.eventsOf(tenant.orgId)).filter(({ type }) =>
    type === "project.application.added"
  );
  assert.equal(events.length, 2, "the tenant's own and the native one");
});

Deno.test("ZITADEL itself only notes what is wrong, and its authorize endpoint refuses", async () => {
  const s = open();
  const tenant = await s.tenant("noted");
  const made = await s.asProvisioner.connect<
    {
      oidcConfiguration: {
        clientId: string;
        nonCompliant?: boolean;
        complianceProblems?: object[];
      };
    }
  >(service, "CreateApplication", {
    projectId: tenant.projectId,
    name: "Plain http",
    oidcConfiguration: {
      redirectUris: ["http://127.0.0.1:3999/callback"],
      responseTypes: ["OIDC_RESPONSE_TYPE_CODE"],
      grantTypes: ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE"],
      applicationType: "OIDC_APP_TYPE_USER_AGENT",
      authMethodType: "OIDC_AUTH_METHOD_TYPE_NONE",
    },
  });
  assert.equal(made.oidcConfiguration.nonCompliant, true);
  assert.equal(made.oidcConfiguration.complianceProblems?.length, 1);
  await s.settle();
  const { authRequestId } = await s.authorize(made.oidcConfiguration);
  assert.equal(authRequestId, "");
});

Deno.test("an update of one thing leaves the others: grant types, response types and clock skew are always sent", async () => {
  const s = open();
  const app = input(await s.tenant("traps"));
  await s.provisioner.ensureOidcApplication(app);
  const redirectUris = [...app.redirectUris, "https://shop.example/second"];
  await s.provisioner.ensureOidcApplication({ ...app, name: `${app.name}!`, redirectUris });
  const { name, oidcConfiguration } = await read(app.id);
  assert.equal(name, `${app.name}!`);
  assert.deepEqual(oidcConfiguration.redirectUris, redirectUris);
  assert.deepEqual(oidcConfiguration.grantTypes, [
    "OIDC_GRANT_TYPE_AUTHORIZATION_CODE",
    "OIDC_GRANT_TYPE_REFRESH_TOKEN",
  ]);
});

Deno.test("the trap is there: an update without grant types drops refresh tokens", async () => {
  const s = open();
  const app = input(await s.tenant("trap"));
  await s.provisioner.ensureOidcApplication(app);
  await s.asProvisioner.connect(service, "UpdateApplication", {
    projectId: app.projectId,
    applicationId: app.id,
    oidcConfiguration: { redirectUris: ["https://shop.example/third"] },
  });
  const { oidcConfiguration } = await read(app.id);
  assert.deepEqual(oidcConfiguration.grantTypes, ["OIDC_GRANT_TYPE_AUTHORIZATION_CODE"]);
  assert.equal(
    (await s.provisioner.ensureOidcApplication(app)).changed,
    true,
    "and is mended by the next run",
  );
});

Deno.test("the trap is there: its own name is refused, and then nothing else of the update is done", async () => {
  const s = open();
  const app = input(await s.tenant("name"));
  await s.provisioner.ensureOidcApplication(app);
  const refs = { projectId: app.projectId, applicationId: app.id };
  await assert.rejects(
    s.asProvisioner.connect(service, "UpdateApplication", {
      ...refs,
      name: app.name,
      oidcConfiguration: { redirectUris: ["https://shop.example/other"] },
    }),
    (error) => isZitadelError(error, "failed_precondition", "COMMAND-2m8vx"),
  );
  assert.deepEqual((await read(app.id)).oidcConfiguration.redirectUris, app.redirectUris);
});

Deno.test("post-logout addresses cannot be cleared, and that is said", async () => {
  const s = open();
  const app = input(await s.tenant("clear"), { postLogoutUris: ["https://shop.example/bye"] });
  await s.provisioner.ensureOidcApplication(app);
  await s.settle();
  await assert.rejects(
    s.provisioner.ensureOidcApplication({ ...app, postLogoutUris: [] }),
    (error) => isZitadelError(error, "non_compliant"),
  );
});

Deno.test("a web application's secret is shown at creation; a new one ends the old", async () => {
  const s = open();
  const tenant = await s.tenant("secret");
  const app = input(tenant);
  const { clientId, clientSecret } = await s.provisioner.ensureOidcApplication(app);
  assert.ok(clientSecret);
  assert.equal("clientSecret" in await s.provisioner.ensureOidcApplication(app), false);
  const next = await s.provisioner.generateClientSecret(app.projectId, app.id);
  await s.settle();
  const tries = async (secret: string) => {
    const response = await s.exchange({ grant_type: "refresh_token", refresh_token: "none" }, {
      authorization: `Basic ${btoa(`${clientId}:${secret}`)}`,
    });
    return (await response.json()).error;
  };
  assert.equal(await tries(clientSecret), "invalid_client");
  assert.equal(await tries(next), "invalid_grant", "the client is known; the token is not");
});

Deno.test("an application's id belongs to one project", async () => {
  const s = open();
  const [a, e] = [await s.tenant("first"), await s.tenant("second")];
  const app = input(a);
  await s.provisioner.ensureOidcApplication(app);
  await s.settle();
  await assert.rejects(
    s.provisioner.ensureOidcApplication({ ...app, projectId: e.projectId }),
    (error) => error instanceof ZitadelError && error.id === "PROJECT-lxowmp",
  );
});
