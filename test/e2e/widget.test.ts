// The widget in a browser: what a person meets with keyboard, screen reader, narrow screen, and a page that is not ours.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { en } from "../../widget/src/texts/en.ts";
import { launch, visitor } from "./support/browser.ts";
import { type Answers, serveSignInPage } from "./support/sign_in_page.ts";

/** Opens the sign-in page in a fresh browser and hands it to `act`. */
async function onSignInPage(
  answers: Answers,
  act: (page: Page, sent: { loginName: string; password: string }[]) => Promise<void>,
): Promise<void> {
  await using server = serveSignInPage(answers);
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.goto(server.url);
  await act(page, server.sent);
  assertClean();
}

/** The focused element, inside the widget's shadow root where it is there. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const inner = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement;
    return inner?.getAttribute("name") ?? inner?.getAttribute("aria-label") ?? inner?.textContent;
  });

Deno.test("widget: ready to type at once, and the keyboard alone signs in", async () => {
  await onSignInPage({ callbackUrl: "data:,hello" }, async (page, sent) => {
    await page.getByText("to continue to Shop, Acme").waitFor();
    assert.equal(await focused(page), "username");
    await page.keyboard.type("  vera ");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "password");
    await page.keyboard.type("secret");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), en.showPassword);
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), en.signIn);
    await page.keyboard.press("Enter");
    await page.getByText(en.problems.other).waitFor(); // an address that runs content is not gone to
    assert.deepEqual(sent, [{ authRequest: "V2_1", loginName: "vera", password: "secret" }]);
  });
});

Deno.test("widget: nothing is sent while something is missing, and the field says what", async () => {
  await onSignInPage({}, async (page, sent) => {
    await page.getByRole("button", { name: en.signIn }).click();
    const name = page.getByLabel(en.loginName);
    assert.equal(await name.getAttribute("aria-invalid"), "true");
    await page.getByText(en.loginNameMissing).waitFor();
    assert.equal(await focused(page), "username");
    await name.fill("vera");
    assert.equal(await name.getAttribute("aria-invalid"), null);
    await page.keyboard.press("Enter");
    assert.equal(await focused(page), "password");
    assert.deepEqual(sent, []);
  });
});

Deno.test("widget: a refusal is announced, the password is emptied and hidden again, and may be typed anew", async () => {
  await onSignInPage({ passwordProblem: "credentials_refused" }, async (page, sent) => {
    await page.getByLabel(en.loginName).fill("vera");
    const password = page.getByLabel(en.password, { exact: true });
    await password.fill("wrong");
    const toggle = page.getByRole("button", { name: en.showPassword });
    await toggle.click();
    assert.equal(await password.getAttribute("type"), "text");
    assert.equal(await toggle.getAttribute("aria-pressed"), "true");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText(en.problems.credentials_refused).waitFor();
    assert.equal(await password.inputValue(), "");
    assert.equal(await password.getAttribute("type"), "password");
    assert.equal(await focused(page), "password");
    assert.equal(sent.length, 1);
  });
});

for (const slug of ["flow_not_found", "tenant_suspended", "app_disabled"] as const) {
  Deno.test(`widget: ${slug} ends the page with a word on what to do`, async () => {
    await onSignInPage({ flowProblem: slug }, async (page) => {
      await page.getByRole("alert").getByText(en.problems[slug]).waitFor();
      await page.getByText(en.startAgain).waitFor();
      assert.equal(await page.locator("input").count(), 0);
    });
  });
}

Deno.test("widget: it fits a screen of 320 px, and 200 % text", async () => {
  await onSignInPage({ passwordProblem: "credentials_refused" }, async (page) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.getByLabel(en.loginName).fill(
      "a-very-long-name.without-any-space@subsidiary.example",
    );
    await page.getByLabel(en.password, { exact: true }).fill("x");
    await page.keyboard.press("Enter");
    await page.getByText(en.problems.credentials_refused).waitFor();
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(await width(), 320);
    await page.evaluate(() => document.documentElement.style.fontSize = "200%");
    assert.equal(await width(), 320);
  });
});

/** A customer's page: our one origin in script-src, and nothing else. */
function serveCustomerPage(widgetOrigin: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/page.js") {
      return new Response(
        "globalThis.results = []; addEventListener('gatehouse-result', (e) => results.push(e.detail));",
        { headers: { "content-type": "text/javascript" } },
      );
    }
    return new Response(
      `<!doctype html><title>Customer</title><script src="${widgetOrigin}/some/prefix/functions/v1/widget/gatehouse.js" defer></script>
       <gatehouse-login issuer="${widgetOrigin}/issuer" client-id="c1" label="Members"></gatehouse-login>
       <script type="module" src="page.js"></script>`,
      {
        headers: {
          "content-type": "text/html",
          "content-security-policy": `default-src 'none'; script-src 'self' ${widgetOrigin}`,
        },
      },
    );
  });
}

Deno.test("widget: a customer's page needs our origin in script-src alone, and hears one result", async () => {
  await using gatehouse = serveSignInPage();
  const customer = serveCustomerPage(gatehouse.origin);
  await using _ = { [Symbol.asyncDispose]: () => customer.shutdown() };
  const home = `http://127.0.0.1:${customer.addr.port}/shop?item=7`;
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  const results = () =>
    page.waitForFunction(() => (globalThis as unknown as { results?: unknown[] }).results?.[0])
      .then((handle) => handle.jsonValue());

  await page.goto(home);
  await page.getByRole("button", { name: "Members" }).click();
  await page.waitForURL(`${gatehouse.origin}/issuer/oauth/v2/authorize?*`);
  const asked = new URL(page.url()).searchParams;
  assert.equal(asked.get("redirect_uri"), home.split("?")[0]);

  await page.goto(`${home}&code=abc&state=${asked.get("state")}`);
  const result = await results() as Record<string, string>;
  assert.equal(result.code, "abc");
  assert.equal(result.nonce, asked.get("nonce"));
  assert.equal(page.url(), home, "the answer left the address bar, the page's own query stayed");

  await page.goto(`${home}&code=abc&state=${asked.get("state")}`);
  assert.equal((await results() as Record<string, string>).error, "state_mismatch");
  assertClean();
});
