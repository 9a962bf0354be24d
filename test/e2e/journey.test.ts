/**
 * Test number one: from a fresh stack to single sign-on, on record and delivered, through the real pages. Once with our addresses at
 * the root of their origin, once below a path.
 *
 * Pictures of every page land in `.stack/pictures/<run>/`. Next: support/pages.ts (what people click), acme.ts (what is checked of tokens).
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import postgres from "postgres";
import { Webhook } from "standardwebhooks";
import { provisioner } from "../../functions/_shared/zitadel/provisioner.ts";
import type { Received } from "../../scripts/stack/webhook_sink.ts";
import { eventually } from "../support/eventually.ts";
import { root } from "../support/paths.ts";
import { startStack } from "../support/stack.ts";
import { readsExactlyItsTenant, refusesEve, visitorTokenOpensOneProfile } from "./support/acme.ts";
import { launch, takePictures, visitor } from "./support/browser.ts";
import { fillInTenant, shownStatus, signInToPortal, typePassword } from "./support/pages.ts";
import { restAs } from "./support/rest.ts";
import { startStorefront } from "./support/storefront.ts";

const password = () => `${crypto.randomUUID()}-Aa1`;

for (const basePath of ["", "/acme-prefix"]) {
  Deno.test(`the main job works end to end ${basePath ? `below ${basePath}/` : "at the root"}`, async (t) => {
    await using stack = await startStack(["--no-demo", "--base-path", basePath]);
    const { facts } = stack;
    await using browser = await launch();
    await using storefront = await startStorefront({
      issuer: facts.issuer,
      widgetUrl: `${facts.functionsUrl}/widget/gatehouse.js`,
    });
    const sql = postgres(facts.dbUrl, { max: 2, onnotice: () => {} });
    await using _ = { [Symbol.asyncDispose]: () => sql.end() };
    const zitadel = provisioner({
      profile: "embedded",
      issuer: facts.issuer,
      tokenFile: join(stack.dir, "credentials/zitadel/provisioner.pat"),
    });
    const pictures = join(root, ".stack/pictures", basePath.slice(1) || "root");
    await Deno.mkdir(pictures, { recursive: true });
    const startedAt = new Date();
    const admin = await visitor(browser);
    const shopper = await visitor(browser);
    const vera = { login: "vera@visitors.example", password: password() };
    const acme = { id: "", organizationId: "", projectId: "", clientId: "" };
    let endpointSecret = "";

    /** A step that fails ends the journey: what follows would only repeat it. */
    const step = async (name: string, fn: () => Promise<void>) => {
      const { page } = name.startsWith("the visitor") ? shopper : admin;
      const ok = await t.step(name, async () => {
        await fn().catch(async (error) => {
          await page.screenshot({ path: `${pictures}/failed.png` }).catch(() => {});
          throw error;
        });
      });
      assert.ok(ok, `The journey ends at "${name}"`);
    };

    await step("the administrator signs in at the portal", async () => {
      await admin.page.goto(facts.portalUrl);
      await admin.page.getByRole("button", { name: "Sign in" }).waitFor();
      await takePictures(admin.page, pictures, "portal-welcome");
      await signInToPortal(admin.page, facts.portalUrl, facts.demo.admin);
      assert.equal(admin.page.url(), facts.portalUrl, "the answer stays out of the address bar");
    });

    await step("the administrator creates the tenant acme and sees it turn active", async () => {
      const form = await fillInTenant(admin.page, {
        name: "Acme Industries",
        slug: "acme",
        admin: { givenName: "Alice", familyName: "Adams", email: "alice@acme.example" },
        app: { name: "Storefront", redirectUri: storefront.url },
      });
      await takePictures(admin.page, pictures, "portal-new-tenant");
      await form.create();
      await shownStatus(admin.page, "active").waitFor();
      await takePictures(admin.page, pictures, "portal-tenant");
      assert.equal(await admin.page.locator('.steps li[data-state="ok"]').count(), 6);
    });

    await step(
      "every step of its provisioning is settled, with its attempts and the hash of its input",
      async () => {
        const steps = await sql`
        select s.name, s.state, s.attempts > 0 as tried, s.last_error, s.input_hash ~ '^[0-9a-f]{64}$' as hashed
          from public.provisioning_steps s join public.tenants t on t.id = s.tenant_id
         where t.slug = 'acme' order by s.position`;
        assert.deepEqual(
          [...steps],
          [
            ...["organization", "domain_policy", "project", "roles", "app", "administrator"]
              .map((name) => ({ name, state: "ok", tried: true, last_error: null, hashed: true })),
            { name: "provider", state: "skipped", tried: false, last_error: null, hashed: null },
          ],
        );
        const [tenant] = await sql`
        select t.id, t.organization_id, t.project_id, a.client_id
          from public.tenants t join public.apps a on a.tenant_id = t.id where t.slug = 'acme'`;
        acme.id = tenant!.id;
        acme.organizationId = tenant!.organization_id;
        acme.projectId = tenant!.project_id;
        acme.clientId = tenant!.client_id;
      },
    );

    await step("a webhook endpoint of acme asks for what happened since the start", async () => {
      const api = restAs(facts.functionsUrl, admin.tokenSentTo(facts.restUrl)!);
      const { status, body } = await api.ask("webhooks/endpoints", {
        tenantId: acme.id,
        url: `${facts.webhookSinkUrl}/acme`,
        since: startedAt.toISOString(),
      });
      assert.equal(status, 201, JSON.stringify(body));
      endpointSecret = (body as { secret: string }).secret;
    });

    await step("the visitor signs in to the storefront through the widget", async () => {
      const { page } = shopper;
      await zitadel.ensureHuman({
        orgId: acme.organizationId,
        id: "visitor-vera",
        userName: vera.login,
        email: vera.login,
        emailVerified: true,
        givenName: "Vera",
        familyName: "Visitor",
        password: vera.password,
      });
      await eventually("the visitor to be read", () => zitadel.getUser("visitor-vera"));
      await page.goto(storefront.url);
      await page.getByText("Opening soon").waitFor();
      await storefront.configure(acme);
      await page.reload();
      await takePictures(page, pictures, "storefront");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.waitForURL(`${facts.loginUrl}?authRequest=V2_*`);
      await page.getByText("to continue to Storefront, Acme Industries").waitFor();
      await takePictures(page, pictures, "sign-in");
      await typePassword(page, { login: vera.login, password: "not the password" });
      await page.getByRole("alert").filter({ hasText: "is not right" }).waitFor();
      await takePictures(page, pictures, "sign-in-refused");
      await typePassword(page, vera);
      await page.getByText("Welcome back, Vera Visitor.").waitFor();
      await takePictures(page, pictures, "storefront-signed-in");
      assert.equal(page.url(), storefront.url, "the answer stays out of the address bar");
    });

    await step("the sign-in, the tenant and its app are on record, once each", async () => {
      const types = [
        "tenant.created",
        "app.created",
        "app.activated",
        "tenant.activated",
        "user.signed_in",
      ];
      await eventually(
        "user.signed_in in the log",
        async () =>
          (await sql`select from public.audit_events where tenant_id = ${acme.id} and type = 'user.signed_in'`)
            .length > 0,
      );
      const counted = await sql`
        select type, count(*)::integer as n from public.audit_events
         where tenant_id = ${acme.id} and type = any (${types}) group by type`;
      assert.deepEqual(
        Object.fromEntries(counted.map(({ type, n }) => [type, n])),
        Object.fromEntries(types.map((type) => [type, 1])),
      );
      const [signedIn] = await sql`
        select e.actor, e.data, u.subject from public.audit_events e
          join public.users u on u.id = (e.actor ->> 'id')::uuid
         where e.tenant_id = ${acme.id} and e.type = 'user.signed_in'`;
      assert.equal(signedIn!.actor.kind, "user");
      assert.equal(signedIn!.subject, "visitor-vera");
      assert.equal(signedIn!.data.client_id, acme.clientId);
    });

    await step("the endpoint received them, signed as Standard Webhooks asks", async () => {
      const wanted = ["tenant.created", "tenant.activated", "app.created", "user.signed_in"];
      const received = await eventually("the deliveries", async () => {
        const all: Received[] = await (await fetch(`${facts.webhookSinkUrl}/requests`)).json();
        const ours = all.filter(({ path }) => path === "/acme")
          .map((request) => ({ ...request, event: JSON.parse(request.body) }));
        return wanted.every((type) => ours.some(({ event }) => event.type === type)) && ours;
      });
      const webhook = new Webhook(endpointSecret);
      for (const { body, headers, event } of received) {
        assert.deepEqual(webhook.verify(body, headers), event);
        assert.equal(headers["webhook-id"], event.id);
        assert.equal(event.tenant_id, acme.id);
      }
      assert.throws(() => webhook.verify(`${received[0]!.body} `, received[0]!.headers));
      const events = await sql`
        select id, type, private.with_personal(e) -> 'data' as data from public.audit_events e
         where tenant_id = ${acme.id} and type = any (${wanted})`;
      for (const { id, type, data } of events) {
        const sent = received.filter(({ event }) => event.id === id);
        assert.equal(sent.length, 1, `${type} came ${sent.length} times`);
        assert.deepEqual(sent[0]!.event.data, data);
      }
    });

    const here = { facts, sql, zitadel, acme, browser, storefront };
    await step(
      "acme's administrator reads exactly acme's rows",
      () => readsExactlyItsTenant(here, { login: "alice@acme.example", password: password() }),
    );
    await step(
      "the visitor's token opens one profile, and only with Gatehouse's audience",
      () => visitorTokenOpensOneProfile(here, shopper.context, vera),
    );
    await step(
      "eve of another tenant gets no code for acme's app",
      () => refusesEve(here, admin.tokenSentTo(facts.restUrl)!, stack.dir),
    );

    await step("the visitor signs out of the shop", async () => {
      await shopper.page.getByRole("button", { name: "Sign out" }).click();
      await shopper.page.getByRole("button", { name: "Sign in" }).waitFor();
      await shopper.page.reload();
      await shopper.page.getByRole("button", { name: "Sign in" }).waitFor();
    });
    admin.assertClean();
    shopper.assertClean();
  });
}
