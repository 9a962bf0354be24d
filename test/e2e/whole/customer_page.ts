// Inline and popup on a page of another site, under the policy that the docs ask for; then single sign-on and its end.
import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { en } from "../../../widget/src/texts/en.ts";
import { eventually } from "../../support/eventually.ts";
import { authorize, type Landed, landed } from "../support/authorize.ts";
import { serveCustomerPage } from "../support/customer_page.ts";
import { type Here } from "../support/demo.ts";
import { fill, heading, namePassword, press, steps, toSignIn, welcome } from "../support/people.ts";

type Result = Record<string, string>;

/** What the page's own script heard, once that are `count` results. */
async function results(page: Page, count: number): Promise<Result[]> {
  const heard = await page.waitForFunction((count) => {
    const { results } = globalThis as unknown as { results?: Result[] };
    return results && results.length >= count && results;
  }, count);
  return await heard.jsonValue() as Result[];
}

const ourCookies = async (context: BrowserContext) =>
  (await context.cookies()).filter(({ name }) => name.startsWith("gatehouse"));

export async function customerPage(
  t: Deno.TestContext,
  here: Here,
): Promise<void> {
  const { facts: { functionsUrl, issuer, loginUrl, storefrontUrl }, demo, browser } = here;
  const [ours, shop] = [new URL(functionsUrl).origin, `${storefrontUrl}/`];
  const { tenant: { user, admin, organizationId, clientId } } = demo;
  const attributes: Record<string, string> = { issuer, organization: organizationId };
  await using customer = serveCustomerPage(
    { origin: ours, base: `${functionsUrl}/widget/` },
    attributes,
  );
  const redirectUri = customer.url.split("?")[0]!;
  const register = async (name: string, inline_enabled: boolean): Promise<string> => {
    const made = await demo.rest.ask("apps", {
      tenant_id: demo.tenant.id,
      name,
      kind: "spa",
      redirect_uris: [redirectUri],
      inline_enabled,
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return await eventually("the application at ZITADEL", async () => {
      const [row] = await demo.rest.rows(`apps?name=eq.${name}&state=eq.active&select=client_id`);
      return row?.client_id as string | undefined;
    });
  };
  const guests = await register("Guests", false);
  attributes["client-id"] = guests;
  attributes.mode = "inline";
  await steps(t, browser)(
    "inline: an application that did not opt in has no form there, and is offered our page",
    async ({ page }) => {
      await page.goto(customer.url);
      await page.getByRole("alert").getByText(en.x_inline_refused).waitFor();
      assert.equal(await page.getByLabel(en.loginName).count(), 0);
      assert.deepEqual(await results(page, 0), []);
      await press(page, en.openPage);
      await page.waitForURL(`${loginUrl}?authRequest=*`);
      await page.getByLabel(en.loginName).waitFor();
    },
  );

  const app = await register("Members", true);
  attributes["client-id"] = app;
  const step = steps(t, browser);
  const record = await demo.record(app);
  const shopRecord = await demo.record();

  /** What the customer's own server does with the event; the subject of the sign-in. */
  const exchange = async ({ code, codeVerifier, error, ...result }: Result): Promise<string> => {
    assert.equal(error, undefined);
    assert.deepEqual(
      [result.clientId, result.redirectUri, result.issuer],
      [app, redirectUri, issuer],
    );
    const response = await fetch(`${issuer}/oauth/v2/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        client_id: app,
        redirect_uri: redirectUri,
        code: code!,
        code_verifier: codeVerifier!,
      }),
    });
    const tokens = await response.json();
    assert.equal(response.status, 200, JSON.stringify(tokens));
    const bytes = Uint8Array.fromBase64(tokens.id_token.split(".")[1], { alphabet: "base64url" });
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    assert.equal(claims.nonce, result.nonce);
    return claims.sub;
  };

  let vera = "";
  await step(
    "inline: one event with a code that is good, and nothing of ours stays in the browser",
    async ({ page, context }) => {
      attributes.mode = "inline";
      const requests: string[] = [];
      page.on("request", (request) => requests.push(new URL(request.url()).origin));
      await page.goto(customer.url);
      await namePassword(page, user.login, user.password);
      await press(page, en.skip);
      const [answer, ...others] = await results(page, 1);
      assert.deepEqual(others, []);
      vera = await exchange(answer!);
      record.oneMore();
      assert.equal(page.url(), customer.url);
      assert.deepEqual([...new Set(requests)].toSorted(), [customer.origin, ours].toSorted());
      assert.deepEqual(await ourCookies(context), []);
      const stored = await page.evaluate(() =>
        JSON.stringify([{ ...sessionStorage }, { ...localStorage }])
      );
      assert.equal(stored, "[{},{}]");

      await toSignIn(page, shop);
      await page.getByLabel(en.loginName).waitFor(); // no single sign-on came of it
    },
  );

  await step(
    "inline: a wrong password is refused there, the right one still taken",
    async ({ page }) => {
      await page.goto(customer.url);
      await namePassword(page, user.login, "not the password");
      await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
      assert.deepEqual(await results(page, 0), []);
      await fill(page, en.password, user.password);
      await press(page, en.signIn);
      await exchange((await results(page, 1))[0]!);
      record.oneMore();
    },
  );

  await step(
    "inline: an administrator is turned away to our own page, with the right password",
    async ({ page, context }) => {
      await page.goto(customer.url);
      await namePassword(page, admin.login, admin.password);
      await heading(page, en.stopped).waitFor();
      assert.deepEqual(await results(page, 0), []);
      assert.deepEqual(await ourCookies(context), []);
      await press(page, en.openPage);
      await page.waitForURL(`${loginUrl}?authRequest=*`);
      await page.getByLabel(en.loginName).waitFor();
    },
  );

  await step(
    "popup: the page stays, hears one event, and a second time nothing needs to be typed",
    async ({ page, context }) => {
      attributes.mode = "popup";
      await page.goto(customer.url);
      const opened = page.waitForEvent("popup");
      await press(page, en.signIn);
      const popup = await opened;
      await popup.waitForURL(`${loginUrl}?authRequest=*`);
      const closed = popup.waitForEvent("close");
      await namePassword(popup, user.login, user.password);
      await closed;
      assert.equal(await exchange((await results(page, 1))[0]!), vera);
      record.oneMore();
      await press(page, en.signIn);
      assert.equal(await exchange((await results(page, 2))[1]!), vera);
      record.oneMore();
      assert.equal(page.url(), customer.url);
      assert.equal(context.pages().length, 1);
    },
  );

  await t.step("each of these is one sign-in on record", record.isRight);

  /** What `prompt=none` answers the storefront. */
  const silently = async (page: Page): Promise<Landed> => {
    await authorize(page, here, { prompt: "none" });
    return await landed(page);
  };
  const nobody = { code: false, error: "login_required" };

  await step(
    "who signs out at the storefront is signed out for all: prompt=none says so",
    async ({ page }) => {
      assert.deepEqual(await silently(page), nobody);
      await toSignIn(page, shop);
      await namePassword(page, user.login, user.password);
      await welcome(page, "Vera");
      shopRecord.oneMore();
      assert.deepEqual(await silently(page), { code: true, error: null });
      await page.goto(shop);
      await press(page, "Sign out");
      await page.getByRole("button", { name: en.signIn, exact: true }).waitFor();
      assert.deepEqual(await silently(page), nobody);
    },
  );

  await step(
    "without a token that names the session, our own page ends it and leads back",
    async ({ page, context }) => {
      await toSignIn(page, shop);
      await namePassword(page, user.login, user.password);
      await welcome(page, "Vera");
      shopRecord.oneMore();
      assert.equal((await ourCookies(context)).length > 0, true);
      const url = new URL(`${issuer}/oidc/v1/end_session`);
      url.search = new URLSearchParams({ client_id: clientId, post_logout_redirect_uri: shop })
        .toString();
      await page.goto(url.href);
      await heading(page, en.signedOut).waitFor();
      const shown = new URL(page.url());
      assert.equal(shown.origin + shown.pathname, `${functionsUrl}/widget/logout`);
      assert.equal(shown.searchParams.has("logout_token"), false, "it leaves the address");
      await press(page, en.next);
      await page.waitForURL(shop);
      assert.deepEqual(await silently(page), nobody);
    },
  );
  await t.step("and so are those to the storefront", shopRecord.isRight);
}
