// The first start: what ZITADEL's own setup makes, and the tokens of three machine users in files. Never again later.
import { join } from "node:path";
import { machineUsers } from "./machine_users.ts";
import type { Instance } from "./model.ts";
import { defaultLifetimes } from "./oidc/lifetimes.ts";
import { addToken } from "./services/machines.ts";
import { addOrganization } from "./services/organizations.ts";
import { defaultPolicies, type PolicyKind } from "./services/policies.ts";
import { addWebKey } from "./services/web_keys.ts";
import type { Store } from "./store.ts";

const editor = "SYSTEM";

export async function bootstrap(
  store: Store,
  { folder, domainSuffix }: { folder: string | undefined; domainSuffix: string },
): Promise<void> {
  if (store.get("instance", "instance")) return;
  const id = store.newId();
  const organizationId = store.newId();
  const apiProjectId = store.newId();
  const createdAt = store.push(editor, [
    { aggregateType: "instance", aggregateId: id, type: "instance.added", resourceOwner: id },
  ]);
  const instance: Instance = {
    id,
    defaultOrganizationId: organizationId,
    apiProjectId,
    loginV2: { required: true, set: false },
    oidcSettings: { ...defaultLifetimes },
    security: {
      embeddedIframe: { enabled: false, allowedOrigins: [] },
      enableImpersonation: false,
    },
    trustedDomains: {},
    createdAt,
  };
  store.put("instance", "instance", instance);
  for (const kind of Object.keys(defaultPolicies) as PolicyKind[]) {
    const policy = {
      id: `instance/${kind}`,
      createdAt,
      changedAt: createdAt,
      values: defaultPolicies[kind],
    };
    store.put("policy", policy.id, policy);
  }
  addOrganization(store, editor, organizationId, "ZITADEL", domainSuffix);
  const projectAt = store.push(editor, [{
    aggregateType: "project",
    aggregateId: apiProjectId,
    type: "project.added",
    resourceOwner: organizationId,
    payload: { name: "ZITADEL" },
  }]);
  store.put("project", apiProjectId, {
    id: apiProjectId,
    organizationId,
    name: "ZITADEL",
    state: "active",
    projectRoleAssertion: false,
    authorizationRequired: false,
    projectAccessRequired: false,
    privateLabelingSetting: "PRIVATE_LABELING_SETTING_UNSPECIFIED",
    roles: {},
    grants: {},
    createdAt: projectAt,
    changedAt: projectAt,
  });
  await addWebKey(store, editor, id, "active");
  await addWebKey(store, editor, id, "initial");
  const tokens = machineUsers.map((machine) =>
    [machine.userName, addMachine(store, instance, machine)] as const
  );
  if (folder !== undefined) await writeTokens(folder, tokens);
  await store.flush();
}

function addMachine(
  store: Store,
  { id: instanceId, defaultOrganizationId }: Instance,
  { userName, role }: (typeof machineUsers)[number],
): string {
  const id = store.newId();
  store.claim("user_name", userName, id, "Errors.User.AlreadyExists");
  const at = store.push(editor, [
    {
      aggregateType: "user",
      aggregateId: id,
      type: "user.machine.added",
      resourceOwner: defaultOrganizationId,
      payload: { userName, name: userName },
    },
    {
      aggregateType: "instance",
      aggregateId: instanceId,
      type: "instance.member.added",
      resourceOwner: instanceId,
      payload: { userId: id, roles: [role] },
    },
  ]);
  const user = {
    id,
    organizationId: defaultOrganizationId,
    userName,
    state: "active" as const,
    sequence: 1,
    metadata: {},
    createdAt: at,
    changedAt: at,
    machine: {
      name: userName,
      description: "",
      accessTokenType: "ACCESS_TOKEN_TYPE_BEARER" as const,
      keys: {},
    },
  };
  store.put("user", id, user);
  store.put("administrator", `instance//${id}`, {
    id: `instance//${id}`,
    userId: id,
    resource: { kind: "instance" },
    roles: [role],
    createdAt: at,
    changedAt: at,
  });
  return addToken(store, editor, user, "2029-01-01T00:00:00Z").token;
}

/** Before anything is kept: without its files a bootstrapped instance would be of no use. */
async function writeTokens(folder: string, tokens: (readonly [string, string])[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [name, token] of tokens) {
    const path = join(folder, `${name}.pat`);
    await Deno.writeTextFile(path, `${token}\n`, { mode: 0o600 });
    await Deno.chmod(path, 0o600);
  }
}
