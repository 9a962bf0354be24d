// Something to look at: a tenant `demo` with an application for the storefront, made the way an administrator makes it.
// Next: sign_in.ts (how the administrator gets a token), processes.ts (the storefront).
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { join } from "node:path";
import { provisioner } from "../../functions/_shared/zitadel/provisioner.ts";
import type { Provisioner } from "../../functions/_shared/zitadel/types.ts";
import { type Credentials, type Person, writeSecretFile } from "./credentials.ts";
import { seedProviders } from "./demo_providers.ts";
import { Failure } from "./failure.ts";
import type { Layout } from "./layout.ts";
import { signIn } from "./sign_in.ts";

export interface Login {
  login: string;
  password: string;
}

export interface DemoTenant {
  id: string;
  slug: string;
  organizationId: string;
  clientId: string;
  admin: Login;
  user: Login;
}

export interface DemoFacts {
  admin: Login;
  /** Absent with --no-demo. */
  tenant?: DemoTenant;
}

const slug = "demo";
const longestMs = 30_000;

/** Makes the demo tenant at the first start; later ones find it as it was left. @throws {Failure} */
export async function seedDemo(
  layout: Layout,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<DemoTenant> {
  const file = join(layout.credentialsDir, "demo.json");
  const made = await Deno.readTextFile(file).catch(() => undefined);
  if (made !== undefined) return JSON.parse(made);

  const startedAt = new Date();
  const { api, accessToken } = await signedInApi(layout, credentials.administrator);
  const id = await demoTenantId(api, layout, credentials.demo.admin);
  const { organizationId, adminId, clientId } = await activeTenant(api, id, signal);
  const zitadel = zitadelAs(layout, credentials);
  const { admin, user } = credentials.demo;
  await zitadel.setPassword(adminId, admin.password);
  const { userName, email, givenName, familyName, password } = user;
  await zitadel.ensureHuman({
    ...{ orgId: organizationId, id: user.id, userName, email, emailVerified: true },
    ...{ givenName, familyName, password },
  });
  const tenant: DemoTenant = {
    id,
    slug,
    organizationId,
    clientId,
    admin: { login: await loginName(zitadel, adminId), password: admin.password },
    user: { login: await loginName(zitadel, user.id), password },
  };
  await subscribe(layout, accessToken, id, startedAt);
  await seedProviders(layout, credentials.played, accessToken, id);
  await writeSecretFile(file, JSON.stringify(tenant, null, 2) + "\n");
  return tenant;
}

/** The first administrator as it signs in. */
export async function administratorLogin(
  layout: Layout,
  credentials: Credentials,
): Promise<Login> {
  const { id, password } = credentials.administrator;
  return { login: await loginName(zitadelAs(layout, credentials), id), password };
}

/** supabase-js as the portal uses it. */
async function signedInApi(
  layout: Layout,
  administrator: Person,
): Promise<{ api: SupabaseClient; accessToken: string }> {
  const response = await fetch(`${layout.functionsUrl}/session/config`);
  if (!response.ok) throw new Failure(`GET ${response.url} answers ${response.status}`);
  const { clientId, scope, anonKey } = await response.json();
  const { accessToken } = await signIn({
    issuer: layout.issuer,
    functionsUrl: layout.functionsUrl,
    clientId,
    redirectUri: layout.portalUrl,
    scope,
    loginName: administrator.userName,
    password: administrator.password,
  });
  const options = { accessToken: () => Promise.resolve(accessToken) };
  return { api: createClient(layout.apiUrl, anonKey, options), accessToken };
}

/** The webhook sink gets all that happens in the demo tenant, its making included. */
async function subscribe(layout: Layout, accessToken: string, tenantId: string, since: Date) {
  const response = await fetch(`${layout.functionsUrl}/webhooks/endpoints`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
    body: JSON.stringify({
      tenantId,
      url: `${layout.webhookSinkUrl}/demo`,
      description: "The webhook sink of this stack",
      since: since.toISOString(),
    }),
  });
  if (!response.ok) {
    throw new Failure(`The demo's webhook endpoint was refused: ${await response.text()}`);
  }
  await response.body?.cancel();
}

/** The id of the tenant, created unless an interrupted start did. */
async function demoTenantId(api: SupabaseClient, layout: Layout, admin: Person): Promise<string> {
  const found = await api.from("tenants").select("id").eq("slug", slug).maybeSingle<Row>();
  if (found.data) return found.data.id;
  const home = `${layout.storefrontUrl}/`;
  const { data, error } = await api.rpc("create_tenant", {
    slug,
    name: "Demo",
    admin: {
      email: admin.email,
      given_name: admin.givenName,
      family_name: admin.familyName,
    },
    app: {
      name: "Storefront",
      kind: "spa",
      redirect_uris: [home],
      post_logout_uris: [home],
    },
  }).single<Row>();
  if (error) throw new Failure(`Cannot make the demo tenant: ${error.message} (${error.details})`);
  return data.id;
}

/** What provisioning made of it, once it is active. */
async function activeTenant(api: SupabaseClient, id: string, signal: AbortSignal) {
  for (const until = Date.now() + longestMs;;) {
    const { data: tenant, error } = await api.from("tenants")
      .select(
        "status, organization_id, apps(client_id), provisioning_steps(name, state, external_id, last_error)",
      )
      .eq("id", id).single<TenantRow>();
    if (error) throw new Failure(`Cannot read the demo tenant: ${error.message}`);
    const clientId = tenant.apps[0]?.client_id;
    const administrator = tenant.provisioning_steps.find(({ name }) => name === "administrator");
    if (tenant.status === "active" && clientId && administrator?.external_id) {
      const organizationId = tenant.organization_id!;
      return { organizationId, clientId, adminId: administrator.external_id };
    }
    signal.throwIfAborted();
    if (Date.now() > until) {
      const steps = tenant.provisioning_steps.filter(({ state }) => state !== "ok");
      throw new Failure(
        `The demo tenant is not active after ${longestMs / 1000} s: ${JSON.stringify(steps)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Row {
  id: string;
}

interface TenantRow {
  status: string;
  organization_id: string | null;
  apps: { client_id: string | null }[];
  provisioning_steps: {
    name: string;
    state: string;
    external_id: string | null;
    last_error: unknown;
  }[];
}

function zitadelAs({ issuer }: Layout, { files }: Credentials): Provisioner {
  return provisioner({
    profile: "embedded",
    issuer,
    tokenFile: join(files.zitadelDir, "provisioner.pat"),
  });
}

/** ZITADEL shows a new user to readers a moment after it was made. */
async function loginName(zitadel: Provisioner, userId: string): Promise<string> {
  for (const until = Date.now() + longestMs;;) {
    const user = await zitadel.getUser(userId);
    if (user) return user.preferredLoginName;
    if (Date.now() > until) throw new Failure(`ZITADEL has no user ${userId}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
