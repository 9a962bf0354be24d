// What the holders of tokens around acme may and may not.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Browser, BrowserContext } from "playwright-core";
import type postgres from "postgres";
import { isZitadelError } from "../../../functions/_shared/zitadel/errors.ts";
import { loginClient } from "../../../functions/_shared/zitadel/login_client.ts";
import type { Provisioner } from "../../../functions/_shared/zitadel/types.ts";
import type { Facts } from "../../../scripts/stack/stack.ts";
import { signIn } from "../../../scripts/stack/sign_in.ts";
import { eventually } from "../../support/eventually.ts";
import { visitor } from "./browser.ts";
import { type Login, signInToPortal, typePassword } from "./pages.ts";
import { restAs, slugOf } from "./rest.ts";
import type { Storefront } from "./storefront.ts";

export interface Here {
  facts: Facts;
  sql: postgres.Sql;
  zitadel: Provisioner;
  acme: { id: string; organizationId: string; clientId: string };
  browser: Browser;
  storefront: Storefront;
}

/** Every table with a tenant: through PostgREST the administrator sees acme's rows, all of them and no other. */
export async function readsExactlyItsTenant(here: Here, admin: Login): Promise<void> {
  const { facts, sql, acme, zitadel } = here;
  const [first] = await sql<{ id: string }[]>`
    select external_id as id from public.provisioning_steps
     where tenant_id = ${acme.id} and name = 'administrator'`;
  await zitadel.setPassword(first!.id, admin.password);
  const { preferredLoginName: login } = (await zitadel.getUser(first!.id))!;
  const alice = await visitor(here.browser);
  await signInToPortal(alice.page, facts.portalUrl, { ...admin, login });
  await alice.page.getByRole("navigation", { name: "Tenants" }).getByText("acme", { exact: true })
    .waitFor();
  assert.equal(await alice.page.getByRole("button", { name: "New tenant" }).count(), 0);
  const rest = restAs(facts.restUrl, alice.tokenSentTo(facts.restUrl)!);
  alice.assertClean();
  await alice.context.close();

  const tables = await sql<{ name: string }[]>`
    select c.table_name as name from information_schema.columns c
      join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'public' and c.column_name = 'tenant_id' and t.table_type = 'BASE TABLE'`;
  const count = async (name: string) =>
    (await sql`select from public.${sql(name)} where tenant_id = ${acme.id}`).length;
  for (const { name } of tables) {
    const before = await count(name);
    const rows = await rest.rows(`${name}?select=tenant_id`);
    const after = await count(name);
    assert.ok(rows.every(({ tenant_id }) => tenant_id === acme.id), `${name}: a stranger's row`);
    assert.ok(rows.length >= before && rows.length <= after, `${name}: ${rows.length} rows`);
  }
  assert.deepEqual(await rest.rows("tenants?select=slug"), [{ slug: "acme" }]);
  const people = await rest.rows("users?select=home_tenant_id");
  assert.ok(people.length >= 2 && people.every((user) => user.home_tenant_id === acme.id));
  const refused = await rest.ask("rpc/create_tenant", { slug: "x-corp", name: "X" });
  // The code, not the status: PostgREST says 401 where the token itself names no role.
  assert.equal((refused.body as { code: string }).code, "42501");
}

/** The token as the storefront holds it is a 401; one that names Gatehouse reads its own profile and nothing else. */
export async function visitorTokenOpensOneProfile(
  { facts, sql, acme, storefront }: Here,
  context: BrowserContext,
  vera: Login,
): Promise<void> {
  const cookies = await context.cookies(storefront.url);
  const plain = cookies.find(({ name }) => name === "storefront_access")!.value;
  const refused = await restAs(facts.restUrl, plain).ask("users");
  assert.equal(refused.status, 401);
  assert.equal(slugOf(refused), "audience_refused");

  const { scope } = await (await fetch(`${facts.functionsUrl}/session/config`)).json();
  const { accessToken } = await signIn({
    issuer: facts.issuer,
    functionsUrl: facts.functionsUrl,
    clientId: acme.clientId,
    redirectUri: storefront.url,
    scope,
    loginName: vera.login,
    password: vera.password,
  });
  const rest = restAs(facts.restUrl, accessToken);
  const profiles = await rest.rows("users?select=id,subject");
  assert.deepEqual(profiles.map(({ subject }) => subject), ["visitor-vera"]);
  const sessions = await rest.rows("sign_in_sessions?select=user_id");
  assert.ok(
    sessions.every(({ user_id }) => user_id === profiles[0]!.id),
    "somebody else's session",
  );
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables
     where table_schema = 'public' and table_type = 'BASE TABLE'`;
  // Beside one's own profile and sign-ins: what is the same for everybody, the names of rights, roles and event types.
  const open = ["users", "sign_in_sessions", "rights", "roles", "role_rights", "event_types"];
  for (const { name } of tables.filter(({ name }) => !open.includes(name))) {
    const { status, body } = await rest.ask(name);
    const closed = (body as { code?: string }).code === "42501";
    assert.ok(closed || (status === 200 && (body as []).length === 0), `${name}: ${status}`);
  }
}

/** Neither on acme's page nor by the session API: her organization holds no grant of acme's project. */
export async function refusesEve(
  here: Here,
  platformToken: string,
  stackDir: string,
): Promise<void> {
  const { facts, acme, zitadel, storefront } = here;
  const platform = restAs(facts.restUrl, platformToken);
  const made = await platform.ask("rpc/create_tenant", { slug: "evil", name: "Evil Corp" });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const orgId = await eventually("evil to be active", async () => {
    const [row] = await platform.rows(
      "tenants?slug=eq.evil&status=eq.active&select=organization_id",
    );
    return row?.organization_id as string | undefined;
  });
  const eve = { login: "eve@evil.example", password: `${crypto.randomUUID()}-Aa1` };
  const profile = { givenName: "Eve", familyName: "Evers", email: eve.login, emailVerified: true };
  await zitadel.ensureHuman({
    ...{ orgId, id: "eve", userName: eve.login, password: eve.password },
    ...profile,
  });
  await eventually("eve to be read", () => zitadel.getUser("eve"));

  const { page, context } = await visitor(here.browser);
  await page.goto(storefront.url);
  await page.getByRole("button", { name: "Sign in" }).click();
  await typePassword(page, eve);
  await page.getByRole("alert").filter({ hasText: "is not right" }).waitFor();
  assert.ok(page.url().startsWith(facts.loginUrl));
  const authRequest = new URL(page.url()).searchParams.get("authRequest")!;
  await context.close();

  // As if our page did not look: even with a session of hers that is in order.
  const login = loginClient({
    profile: "embedded",
    issuer: facts.issuer,
    tokenFile: join(stackDir, "credentials/zitadel/login-client.pat"),
    platformOrganizationId: () => Promise.resolve(null),
  });
  const session = await login.createSession({
    userId: "eve",
    password: eve.password,
    lifetimeSeconds: 60,
  });
  await assert.rejects(
    login.createCallback(authRequest, session),
    (error) =>
      isZitadelError(error, "permission_denied") || isZitadelError(error, "failed_precondition"),
  );
  assert.notEqual(orgId, acme.organizationId);
}
