// The three ways in on a customer's page, under the policy that the docs ask for.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Open, State } from "../../functions/widget/contract.ts";
import { en } from "../../widget/src/texts/en.ts";
import { states } from "../gallery/states.ts";
import { assertAccessible } from "./support/axe.ts";
import { launch, visitor } from "./support/browser.ts";
import { serveCustomerPage } from "./support/customer_page.ts";
import { serveSignInPage, startState } from "./support/sign_in_page.ts";

type Result = Record<string, string>;

const resultsOf = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { results: Result[] }).results);

/** The first result, once there is one. */
const result = (page: Page) =>
  page.waitForFunction(() => (globalThis as unknown as { results?: Result[] }).results?.[0])
    .then((handle) => handle.jsonValue() as Promise<Result>);

async function typePassword(page: Page) {
  await page.getByLabel(en.loginName).fill("vera");
  await page.getByLabel(en.password, { exact: true }).fill("secret");
  await page.keyboard.press("Enter");
}

Deno.test("redirect: a customer's page needs our origin alone, and hears one result", async () => {
  await using gatehouse = serveSignInPage();
  await using customer = serveCustomerPage(gatehouse, { label: "Members" });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);

  await page.goto(customer.url);
  await assertAccessible(page, "a customer's page with the button");
  await page.getByRole("button", { name: "Members" }).click();
  await page.waitForURL(`${gatehouse.origin}/issuer/oauth/v2/authorize?*`);
  const asked = new URL(page.url()).searchParams;
  assert.equal(asked.get("redirect_uri"), customer.url.split("?")[0]);

  await page.goto(`${customer.url}&code=abc&state=${asked.get("state")}`);
  const heard = await result(page);
  assert.equal(heard.code, "abc");
  assert.equal(heard.nonce, asked.get("nonce"));
  assert.equal(
    page.url(),
    customer.url,
    "the answer left the address, the page's own query stayed",
  );

  await page.goto(`${customer.url}&code=abc&state=${asked.get("state")}`);
  assert.equal((await result(page)).error, "state_mismatch");
  assertClean();
});

Deno.test("redirect: the button wears what the tenant published; without it, it is plain", async () => {
  await using gatehouse = serveSignInPage();
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.route(
    "**/config/*.json",
    (route) =>
      route.request().url().endsWith("/a1b2.json")
        ? route.fulfill({
          json: { look: { tokens: { accent: "rgb(10, 20, 30)" } } },
          headers: { "access-control-allow-origin": "*" },
        })
        : route.fulfill({
          status: 404,
          headers: { "access-control-allow-origin": "*" },
          body: "{}",
        }),
  );
  const ground = async (config: string) => {
    await using customer = serveCustomerPage(gatehouse, { label: "Members", config });
    const answered = page.waitForResponse("**/config/*.json");
    await page.goto(customer.url);
    await answered;
    const made = page.getByRole("button", { name: "Members" });
    return await made.evaluate(async (element) => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return getComputedStyle(element).backgroundColor;
    });
  };
  assert.equal(await ground("a1b2"), "rgb(10, 20, 30)");
  assertClean();
  assert.notEqual(await ground("gone"), "rgb(10, 20, 30)");
});

Deno.test("redirect: the button speaks the page's language", async () => {
  await using gatehouse = serveSignInPage();
  await using customer = serveCustomerPage(gatehouse, { lang: "ru" });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.goto(customer.url);
  await page.getByRole("button", { name: "Войти" }).waitFor();
  assertClean();
});

Deno.test("popup: our page hands the answer to the window that asked, and that closes it", async () => {
  let callbackUrl = "";
  await using gatehouse = serveSignInPage({ act: () => ({ screen: "done", callbackUrl }) });
  await using customer = serveCustomerPage(gatehouse, { mode: "popup" });
  await using browser = await launch();
  const { page, context, assertClean } = await visitor(browser);
  await page.goto(customer.url);
  const opened = page.waitForEvent("popup");
  await page.getByRole("button", { name: en.signIn }).click();
  const popup = await opened;
  await popup.waitForURL(/oauth\/v2\/authorize/);
  const asked = new URL(popup.url()).searchParams;
  assert.match(asked.get("state")!, /^gatehouse\.popup\./);
  callbackUrl = `${customer.origin}/shop?code=abc&state=${asked.get("state")}`;

  // Another window, and another origin, may say what they like.
  await page.evaluate((callbackUrl) => {
    postMessage(
      { type: "gatehouse-answer", callbackUrl: callbackUrl.replace("abc", "forged") },
      "*",
    );
  }, callbackUrl);

  await popup.goto(gatehouse.url); // what the issuer answers
  const closed = popup.waitForEvent("close");
  await typePassword(popup);
  await closed;
  const heard = await result(page);
  assert.equal(heard.code, "abc");
  assert.equal(heard.nonce, asked.get("nonce"));
  assert.equal((await resultsOf(page)).length, 1);
  assert.equal(page.url(), customer.url);
  assert.equal(context.pages().length, 1);
  assertClean();
});

Deno.test("popup: an answer for another origin than the opener's never reaches it", async () => {
  await using elsewhere = serveSignInPage();
  let callbackUrl = "";
  await using gatehouse = serveSignInPage({ act: () => ({ screen: "done", callbackUrl }) });
  await using customer = serveCustomerPage(gatehouse, { mode: "popup" });
  await using browser = await launch();
  const { page } = await visitor(browser);
  await page.goto(customer.url);
  const opened = page.waitForEvent("popup");
  await page.getByRole("button", { name: en.signIn }).click();
  const popup = await opened;
  await popup.waitForURL(/oauth\/v2\/authorize/);
  const state = new URL(popup.url()).searchParams.get("state");
  callbackUrl = `${elsewhere.origin}/?code=abc&state=${state}`;
  await popup.goto(gatehouse.url);
  await page.evaluate(() => {
    const heard: string[] = [];
    addEventListener("message", (event) => heard.push(JSON.stringify(event.data)));
    Object.assign(globalThis, { heard });
  });
  await typePassword(popup);
  await popup.getByText(en.done).first().waitFor();
  await popup.close();
  await page.getByRole("button", { name: en.signIn }).waitFor(); // ready again
  assert.deepEqual(
    await page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard),
    [],
  );
  assert.deepEqual(await resultsOf(page), []);
});

Deno.test("popup: cut loose from its opener it comes to the redirect address, and the opener hears it all the same", async () => {
  await using gatehouse = serveSignInPage();
  await using customer = serveCustomerPage(gatehouse, { mode: "popup" });
  await using browser = await launch();
  const { page, context, assertClean } = await visitor(browser);
  await page.goto(customer.url);
  const opened = page.waitForEvent("popup");
  await page.getByRole("button", { name: en.signIn }).click();
  const popup = await opened;
  await popup.waitForURL(/oauth\/v2\/authorize/);
  const state = new URL(popup.url()).searchParams.get("state");
  const loose = await context.newPage();
  await loose.goto(`${customer.origin}/shop?code=abc&state=${state}`);
  assert.equal((await result(page)).code, "abc");
  assert.deepEqual(await resultsOf(loose), []);
  assertClean();
});

Deno.test("popup: where the browser opens none, the page itself goes", async () => {
  await using gatehouse = serveSignInPage();
  await using customer = serveCustomerPage(gatehouse, { mode: "popup" });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.addInitScript(() => globalThis.open = () => null);
  await page.goto(customer.url);
  await page.getByRole("button", { name: en.signIn }).click();
  await page.waitForURL(`${gatehouse.origin}/issuer/oauth/v2/authorize?*`);
  assert.match(new URL(page.url()).searchParams.get("state")!, /^gatehouse\.(?!popup)/);
  assertClean();
});

Deno.test("inline: the form stands in the page, keeps its flow in memory, and the page hears one result", async () => {
  const asked = () => gatehouse.opens[0] as Extract<Open, { mode: "inline" }>;
  const done = (): State => ({
    screen: "done",
    callbackUrl: `https://shop.example/?code=abc&state=${asked().state}`,
  });
  await using gatehouse = serveSignInPage({ cors: true, act: () => done() });
  await using customer = serveCustomerPage(gatehouse, { mode: "inline", organization: "320" });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.goto(customer.url);
  await page.getByLabel(en.loginName).waitFor();
  const levels = await page.locator("h1, h2").allTextContents();
  assert.deepEqual(levels, ["Shop", en.title], "one h1, the page's own");
  assert.equal(
    await page.evaluate(() => document.activeElement?.localName),
    "body",
    "the focus stays",
  );
  await assertAccessible(page, "a customer's page with the form");
  assert.deepEqual({ ...asked(), state: "", nonce: "", codeChallenge: "" }, {
    mode: "inline",
    clientId: "c1",
    redirectUri: `${customer.origin}/shop`,
    state: "",
    nonce: "",
    codeChallenge: "",
    scope: "openid profile email urn:zitadel:iam:org:id:320",
    language: "en",
  });
  await typePassword(page);
  const heard = await result(page);
  assert.equal(heard.code, "abc");
  assert.equal(heard.nonce, asked().nonce);
  assert.equal(await challengeOf(heard.codeVerifier!), asked().codeChallenge);
  assert.ok(gatehouse.headers.every((headers) => headers.get("cookie") === null));
  const stored = await page.evaluate(() =>
    JSON.stringify([{ ...sessionStorage }, { ...localStorage }])
  );
  assert.equal(stored, "[{},{}]", "nothing of it is stored");
  assert.equal(page.url(), customer.url);
  assertClean();
});

Deno.test("inline: an answer with another state is no answer; a refusal offers our page", async () => {
  await using gatehouse = serveSignInPage({
    cors: true,
    act: (_, nth) =>
      nth === 1
        ? { screen: "done", callbackUrl: "https://shop.example/?code=abc&state=gatehouse.other" }
        : "inline_refused",
  });
  await using customer = serveCustomerPage(gatehouse, { mode: "inline" });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.goto(customer.url);
  await typePassword(page);
  assert.equal((await result(page)).error, "state_mismatch");
  await page.reload();
  await typePassword(page);
  await page.getByText(en.x_inline_refused).waitFor();
  await page.getByRole("button", { name: en.openPage }).click();
  await page.waitForURL(`${gatehouse.origin}/issuer/oauth/v2/authorize?*`);
  assertClean();
});

Deno.test("inline: without leave of the function (CORS) the page says that nothing answers", async () => {
  await using gatehouse = serveSignInPage();
  await using customer = serveCustomerPage(gatehouse, { mode: "inline" });
  await using browser = await launch();
  const { page } = await visitor(browser);
  await page.goto(customer.url);
  await page.getByText(en.x_offline).waitFor();
});

Deno.test("link: the code leaves the address before anything is asked, and nothing else does", async () => {
  await using gatehouse = serveSignInPage({
    open: states["reset_code.link"]!,
    act: { screen: "finished", what: "reset" },
  });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(`${gatehouse.base}link#kind=reset&userId=320&authRequest=V2_9&code=GEHEIM`);
  await page.getByLabel(en.newPassword, { exact: true }).fill("Abcdefgh12");
  assert.equal(page.url(), `${gatehouse.base}link`);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: en.doneReset }).waitFor();
  assert.deepEqual(gatehouse.sent, [{ action: "new_password", newPassword: "Abcdefgh12" }]);
  assert.deepEqual(requests.filter((url) => url.includes("GEHEIM")), []);
  assert.deepEqual(gatehouse.opens, [{
    mode: "link",
    kind: "reset",
    userId: "320",
    code: "GEHEIM",
    authRequest: "V2_9",
    language: "en",
  }]);
  assertClean();
});

Deno.test("return: what a provider answered is taken from the address and sent; a refusal leads back to the start", async () => {
  for (
    const [query, action] of [
      ["id=i1&token=t1&ticket=k1&user=u1", {
        action: "intent",
        id: "i1",
        token: "t1",
        ticket: "k1",
      }],
      ["error=access_denied&ticket=k1", { action: "intent_failed", error: "access_denied" }],
    ] as const
  ) {
    await using gatehouse = serveSignInPage({
      act: (_, nth) => nth === 1 ? "intent_refused" : startState,
    });
    await using browser = await launch();
    const { page, assertClean } = await visitor(browser);
    await page.goto(`${gatehouse.base}return?authRequest=V2_1&${query}`);
    await page.getByRole("alert").getByText(en.x_external_account_unknown).waitFor();
    await page.getByLabel(en.loginName).waitFor();
    assert.equal(page.url(), `${gatehouse.base}return?authRequest=V2_1`);
    assert.deepEqual(gatehouse.sent, [action]);
    assertClean();
  }
});

Deno.test("logout and account: their pages open their own kind of flow, and the account's leads on", async () => {
  await using gatehouse = serveSignInPage({
    open: states.signed_out!,
    act: { screen: "finished", what: "signed_in" },
  });
  await using browser = await launch();
  const { page } = await visitor(browser);
  await page.goto(`${gatehouse.base}logout?logout_token=T0KEN`);
  await page.getByRole("heading", { name: en.signedOut }).waitFor();
  assert.equal(page.url(), `${gatehouse.base}logout`);
  await using account = serveSignInPage({ act: { screen: "finished", what: "signed_in" } });
  await page.goto(`${account.base}login?tenant=acme`);
  await typePassword(page);
  await page.waitForURL(`${account.base}me?tenant=acme`);
  assert.deepEqual(gatehouse.opens, [{ mode: "logout", token: "T0KEN", language: "en" }]);
  assert.deepEqual(account.opens, [{ mode: "account", tenant: "acme", language: "en" }]);
});

async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return new Uint8Array(digest).toBase64({ alphabet: "base64url", omitPadding: true });
}
