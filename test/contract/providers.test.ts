// What the provisioner makes of a tenant's providers in ZITADEL: found before they are made, replaced as a whole, switched on.
import assert from "node:assert/strict";
import { isZitadelError } from "../../functions/_shared/zitadel/errors.ts";
import { intentClient } from "../../functions/_shared/zitadel/intents.ts";
import { provisioner } from "../../functions/_shared/zitadel/provisioner.ts";
import type { ProviderInput } from "../../functions/_shared/zitadel/types.ts";
import { options, secret } from "./providers_support.ts";
import { suite } from "./support.ts";

const open = suite();

const ldap = (orgId: string, name: string): ProviderInput => ({
  orgId,
  name,
  options,
  secret,
  kind: "ldap",
  settings: {
    servers: ["ldaps://directory.corp.example"],
    startTls: false,
    baseDn: "dc=corp",
    bindDn: "cn=reader,dc=corp",
    userBase: "dn",
    userObjectClasses: ["person"],
    userFilters: ["uid", "mail"],
    timeoutSeconds: 5,
    attributes: {
      id: "entryUUID",
      userName: "uid",
      givenName: "givenName",
      familyName: "sn",
      displayName: "cn",
      email: "mail",
    },
    ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  },
});

const google = (orgId: string, name: string, more: Partial<ProviderInput> = {}) =>
  ({
    orgId,
    name,
    options,
    secret,
    kind: "google",
    settings: { clientId: "a-client", scopes: ["openid", "email"] },
    ...more,
  }) as ProviderInput;

const microsoft = (orgId: string, name: string, tenant: string): ProviderInput => ({
  orgId,
  name,
  options,
  secret,
  kind: "microsoft",
  settings: { clientId: "a-client", scopes: [], tenant, emailVerified: false },
});

for (
  const [label, make] of Object.entries({
    google,
    ldap,
    common: (orgId: string, name: string) => microsoft(orgId, name, "common"),
    organizations: (orgId: string, name: string) => microsoft(orgId, name, "organizations"),
    directory: (orgId: string, name: string) => microsoft(orgId, name, crypto.randomUUID()),
  })
) {
  Deno.test(`${label}: made once, found again by name and by id, and left alone when nothing differs`, async () => {
    const s = open();
    const { orgId } = await s.tenant("idp");
    const asked = make(orgId, "Sign in");
    const { id, changed } = await s.provisioner.ensureProvider(asked);
    assert.equal(changed, true);
    await s.settle();
    const { secret: _known, ...without } = asked as ProviderInput & { secret: string };
    assert.deepEqual(await s.provisioner.ensureProvider(without), { id, changed: false });
    assert.deepEqual(
      await s.provisioner.ensureProvider({ ...without, idpId: id, name: "Renamed" }),
      { id, changed: true },
    );
    await s.settle();
    assert.deepEqual(await s.provisioner.listProviders(orgId), [{ id, name: "Renamed" }]);
  });
}

Deno.test("a second try finds what the first one made, however late ZITADEL shows it", async () => {
  const s = open();
  const { orgId } = await s.tenant("late");
  const first = await s.provisioner.ensureProvider(google(orgId, "Google"));
  const second = await s.provisioner.ensureProvider(google(orgId, "Google", { mayExist: true }));
  assert.equal(second.id, first.id);
});

Deno.test("without its secret a provider is not made, one that is there is changed", async () => {
  const s = open();
  const { orgId } = await s.tenant("nosecret");
  const without = google(orgId, "Google", { secret: undefined });
  await assert.rejects(
    s.provisioner.ensureProvider(without),
    (error) => isZitadelError(error, "secret_missing"),
  );
  const { id } = await s.provisioner.ensureProvider(google(orgId, "Google"));
  await s.settle();
  const changed = { ...without, options: { ...options, autoLinking: "email" } } as ProviderInput;
  assert.deepEqual(await s.provisioner.ensureProvider(changed), { id, changed: true });
});

Deno.test("drift is put right: options, scopes and settings that somebody changed by hand", async () => {
  const s = open();
  const { orgId } = await s.tenant("drift");
  const { id } = await s.provisioner.ensureProvider(google(orgId, "Google"));
  await s.asProvisioner.rest("PUT", `/management/v1/idps/google/${id}`, {
    name: "Google",
    clientId: "somebody-elses",
  }, { orgId });
  await s.settle();
  const asked = google(orgId, "Google", { secret: undefined, idpId: id });
  assert.equal((await s.provisioner.ensureProvider(asked)).changed, true);
  await s.settle();
  assert.equal((await s.provisioner.ensureProvider(asked)).changed, false);
});

Deno.test("another kind of the same name is nobody's to overwrite", async () => {
  const s = open();
  const { orgId } = await s.tenant("kinds");
  await s.provisioner.ensureProvider(google(orgId, "Sign in"));
  await s.settle();
  await assert.rejects(
    s.provisioner.ensureProvider(ldap(orgId, "Sign in")),
    (error) => isZitadelError(error, "already_exists"),
  );
});

Deno.test("switched on, the organization gets a login policy of its own that keeps the instance's rules", async () => {
  const s = open();
  const [{ orgId }, other] = [await s.tenant("active"), await s.tenant("neighbour")];
  const login = intentClient(s.instance.config("login-client"));
  const before = await s.login.loginSettings(orgId);
  const { id } = await s.provisioner.ensureProvider(google(orgId, "Google"));
  assert.deepEqual(await login.activeProviders(orgId), []);
  assert.equal((await s.provisioner.ensureProviderActive(orgId, id)).changed, true);
  await s.settle();
  assert.equal((await s.provisioner.ensureProviderActive(orgId, id)).changed, false);
  const active = await login.activeProviders(orgId);
  assert.deepEqual(active, [{ idpId: id, name: "Google", kind: "google", options }]);
  assert.deepEqual(await s.login.loginSettings(orgId), before, "lifetimes and flags are as before");
  assert.deepEqual(await login.activeProviders(other.orgId), [], "the neighbour has none of it");

  await s.provisioner.deactivateProvider(orgId, id);
  await s.provisioner.deactivateProvider(orgId, id); // nothing happens
  await s.settle();
  assert.deepEqual(await login.activeProviders(orgId), []);
  await s.provisioner.removeProvider(orgId, id);
  await s.provisioner.removeProvider(orgId, id);
  await s.settle();
  assert.deepEqual(await s.provisioner.listProviders(orgId), []);
});

Deno.test("taking a provider out of the login policy, or away, drops everybody's links by it", async () => {
  const s = open();
  const { orgId, userId } = await s.tenant("links");
  const links = async () => {
    const { result = [] } = await s.asLoginClient.connect<{ result?: unknown[] }>(
      "zitadel.user.v2.UserService",
      "ListIDPLinks",
      { userId },
    );
    return result.length;
  };
  for (const drop of ["deactivateProvider", "removeProvider"] as const) {
    const { id } = await s.provisioner.ensureProvider(google(orgId, `Google ${drop}`));
    await s.provisioner.ensureProviderActive(orgId, id);
    const idpLink = { idpId: id, userId: "1047", userName: "grace" };
    await s.asLoginClient.connect("zitadel.user.v2.UserService", "AddIDPLink", { userId, idpLink });
    await s.settle();
    assert.equal(await links(), 1);
    await s.provisioner[drop](orgId, id);
    await s.settle();
    assert.equal(await links(), 0, drop);
  }
});

Deno.test("one organization's providers are nothing to another, and nothing to the login client", async () => {
  const s = open();
  const [own, other] = [await s.tenant("own"), await s.tenant("other")];
  const { id } = await s.provisioner.ensureProvider(google(own.orgId, "Google"));
  await s.settle();
  assert.deepEqual(await s.provisioner.listProviders(other.orgId), []);
  await s.provisioner.removeProvider(other.orgId, id);
  await s.settle();
  assert.equal((await s.provisioner.listProviders(own.orgId)).length, 1);
  await assert.rejects(
    s.provisioner.ensureProviderActive(other.orgId, id),
    (error) => isZitadelError(error, "invalid_argument"),
  );
  const asLoginClient = provisioner(s.instance.config("login-client"));
  await assert.rejects(
    asLoginClient.ensureProvider(google(own.orgId, "Another")),
    (error) => isZitadelError(error, "permission_denied"),
  );
});
