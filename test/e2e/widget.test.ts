// The sign-in page in a browser: what a person meets with keyboard and screen reader, and what is sent for it.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { State } from "../../functions/widget/contract.ts";
import { en } from "../../widget/src/texts/en.ts";
import { opened, states } from "../gallery/states.ts";
import { launch, visitor } from "./support/browser.ts";
import {
  type Answers,
  serveSignInPage,
  type SignInPage,
  startState,
} from "./support/sign_in_page.ts";

/** Opens the sign-in page in a fresh browser and hands it to `act`. */
async function onSignInPage(
  answers: Answers,
  act: (page: Page, server: SignInPage) => Promise<void>,
): Promise<void> {
  await using server = serveSignInPage(answers);
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.goto(server.url);
  await act(page, server);
  assertClean();
}

/** The focused element, inside the widget's shadow root where it is there. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const inner = document.activeElement?.shadowRoot?.activeElement ?? document.activeElement;
    return inner?.getAttribute("name") ?? inner?.getAttribute("aria-label") ?? inner?.textContent;
  });

const field = (page: Page, label: string) => page.getByLabel(label, { exact: true });

Deno.test("widget: ready to type at once, and the keyboard alone signs in, through a second factor", async () => {
  const said: State[] = [states.factor!, { screen: "done", callbackUrl: "javascript:alert(1)" }];
  await onSignInPage(
    { open: startState, act: (_, nth) => said[nth - 1]! },
    async (page, server) => {
      await page.getByText("to continue to Storefront, Acme Industries").waitFor();
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

      await page.getByRole("heading", { name: en.factorTitle }).waitFor();
      assert.equal(await focused(page), "code");
      await page.getByRole("status").getByText(en.factorTitle).waitFor(); // said, since the field took the focus
      await page.keyboard.type("123 456");
      await page.keyboard.press("Enter");
      await page.getByText(en.x_other).waitFor(); // an address that runs script is not gone to
      assert.deepEqual(server.opens, [{ mode: "page", authRequest: "V2_1", language: "en" }]);
      assert.deepEqual(server.sent, [
        { action: "password", loginName: "vera", password: "secret" },
        { action: "code", code: "123456" },
      ]);
      const flows = server.headers.map((headers) => headers.get("x-gatehouse-flow"));
      assert.deepEqual(
        flows,
        [null, "flow-1", "flow-2"],
        "each answer's flow goes with the next action",
      );
    },
  );
});

Deno.test("widget: nothing is sent while something is missing, and the field says what", async () => {
  await onSignInPage({}, async (page, server) => {
    await page.getByRole("button", { name: en.signIn }).click();
    const name = page.getByLabel(en.loginName);
    assert.equal(await name.getAttribute("aria-invalid"), "true");
    assert.match((await name.getAttribute("aria-describedby"))!, /\busername-fault$/);
    await page.locator("#username-fault").getByText(en.missing).waitFor();
    assert.equal(await focused(page), "username");
    await name.fill("vera");
    assert.equal(await name.getAttribute("aria-invalid"), null);
    await page.keyboard.press("Enter");
    assert.equal(await focused(page), "password");
    assert.deepEqual(server.sent, []);
  });
});

Deno.test("widget: a refusal is announced, the password is emptied and hidden again, and may be typed anew", async () => {
  await onSignInPage({ act: "credentials_refused" }, async (page, server) => {
    await page.getByLabel(en.loginName).fill("vera");
    const password = field(page, en.password);
    await password.fill("wrong");
    const toggle = page.getByRole("button", { name: en.showPassword });
    await toggle.click();
    assert.equal(await password.getAttribute("type"), "text");
    assert.equal(await toggle.getAttribute("aria-pressed"), "true");
    await password.press("Enter");
    await page.getByRole("alert").getByText(en.x_credentials_refused).waitFor();
    assert.equal(await password.inputValue(), "");
    assert.equal(await password.getAttribute("type"), "password");
    assert.equal(await password.getAttribute("aria-invalid"), "true");
    assert.match((await password.getAttribute("aria-describedby"))!, /^error /);
    assert.equal(await focused(page), "password");
    assert.equal(server.sent.length, 1);
    await password.fill("a");
    assert.equal(await password.getAttribute("aria-invalid"), null);
  });
});

Deno.test("widget: pressed twice, sent once; meanwhile it says that it works", async () => {
  let answer = () => {};
  const held = new Promise<void>((resolve) => answer = resolve);
  await onSignInPage({
    act: async () => {
      await held;
      return "credentials_refused";
    },
  }, async (page, server) => {
    await page.getByLabel(en.loginName).fill("vera");
    await field(page, en.password).fill("secret");
    const submit = page.locator("button[type=submit]");
    await submit.click();
    await page.getByRole("status").getByText(en.working).waitFor();
    assert.equal(await submit.getAttribute("aria-disabled"), "true");
    await submit.click({ force: true });
    await page.keyboard.press("Enter");
    answer();
    await page.getByText(en.x_credentials_refused).waitFor();
    assert.equal(server.sent.length, 1);
  });
});

for (const slug of ["flow_not_found", "tenant_suspended", "app_disabled"] as const) {
  for (const when of ["open", "act"] as const) {
    Deno.test(`widget: ${slug} when it ${when}s ends the page with a word on what to do`, async () => {
      await onSignInPage({ [when]: slug }, async (page) => {
        if (when === "act") {
          await page.getByLabel(en.loginName).fill("vera");
          await field(page, en.password).fill("x");
          await page.keyboard.press("Enter");
        }
        await page.getByRole("alert").getByText(en[`x_${slug}`]).waitFor();
        await page.getByText(en.startAgain).waitFor();
        assert.equal(await page.locator("input").count(), 0);
      });
    });
  }
}

Deno.test("widget: where a name's domain decides, the name is asked first; a manager's password is kept for after", async () => {
  const discovery = { ...startState, ways: { ...startState.ways, discovery: true } } as State;
  await onSignInPage({
    open: discovery,
    act: ({ action }) => action === "discover" ? discovery : "credentials_refused",
  }, async (page, server) => {
    await page.getByLabel(en.loginName).fill("vera@acme.example");
    assert.equal(await page.locator("input[type=password]").count(), 1, "there for managers");
    assert.equal(await page.locator("input[type=password]").getAttribute("tabindex"), "-1");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), en.next, "nothing out of sight is reached");
    await page.keyboard.press("Enter");
    await field(page, en.password).fill("secret");
    assert.equal(await page.getByLabel(en.loginName).inputValue(), "vera@acme.example");
    await page.keyboard.press("Enter");
    await page.getByText(en.x_credentials_refused).waitFor();
    // Another domain is asked about anew, and its password goes nowhere before.
    await page.getByLabel(en.loginName).fill("vera@other.example");
    await field(page, en.password).fill("secret");
    const asked = page.waitForResponse(/flows\/act$/);
    await page.keyboard.press("Enter");
    await asked;
    assert.deepEqual(server.sent, [
      { action: "discover", loginName: "vera@acme.example" },
      { action: "password", loginName: "vera@acme.example", password: "secret" },
      { action: "discover", loginName: "vera@other.example" },
    ]);
  });
});

Deno.test("widget: the rules of a new password are ticked off while it is typed, and hold before it is sent", async () => {
  await onSignInPage(
    { open: states.change_password!, act: "password_unchanged" },
    async (page, server) => {
      await field(page, en.password).fill("Present12"); // loaded anew: it is asked for again
      const password = field(page, en.newPassword);
      const met = () => page.locator(".rules .met").count();
      assert.equal(await met(), 0);
      await password.fill("Abc1");
      assert.equal(await met(), 3);
      await password.press("Enter");
      await page.locator("#new-password-fault").getByText(en.weak).waitFor();
      assert.deepEqual(server.sent, []);
      await password.fill("Abcdefgh12");
      assert.equal(await met(), 4);
      await password.press("Enter");
      await page.getByText(en.x_password_unchanged).waitFor();
      assert.deepEqual(server.sent, [
        { action: "new_password", newPassword: "Abcdefgh12", currentPassword: "Present12" },
      ]);
    },
  );
});

Deno.test("widget: an authenticator is set up from the picture or the key, and recovery codes leave by file and clipboard", async () => {
  await onSignInPage({
    open: states.setup_totp!,
    act: ({ action }) => action === "code" ? states.recovery_codes! : states.finished!,
  }, async (page, server) => {
    const picture = page.getByRole("img", { name: en.qr });
    assert.ok((await picture.locator("path").getAttribute("d"))!.startsWith("M0 0h1v1h-1z"));
    await page.getByText("JBSW Y3DP").waitFor();
    assert.match((await page.getByText(en.openApp).getAttribute("href"))!, /^otpauth:\/\/totp\//);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: en.copy }).click();
    await page.getByRole("status").getByText(en.copied).waitFor();
    const pasted = () => page.evaluate(() => navigator.clipboard.readText());
    assert.equal(await pasted(), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
    await field(page, en.code).fill("123456");
    await page.keyboard.press("Enter");
    await page.getByText("7KQ2-M9XD").waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: en.download }).click();
    const file = await Deno.readTextFile(await (await download).path());
    assert.match(file, /^Acme Industries · Recovery code\n\n7KQ2-M9XD\n/);
    await page.getByRole("button", { name: en.codesSaved }).click();
    await page.getByRole("heading", { name: en.doneReset }).waitFor();
    assert.deepEqual(server.sent.map(({ action }) => action), ["code", "continue"]);
  });
});

Deno.test("widget: a code is sent again not before its time, and then at once", async () => {
  const waiting = { ...states.email_code, resendAfterSeconds: 2 } as State;
  await onSignInPage({ open: waiting, act: states.email_code! }, async (page, server) => {
    const again = page.getByRole("button", { name: /^Send again/ });
    await again.click({ force: true });
    assert.deepEqual(server.sent, []);
    await page.getByRole("button", { name: en.resend, exact: true }).click();
    await page.getByText(en.resent).waitFor();
    assert.deepEqual(server.sent, [{ action: "resend" }]);
  });
});

Deno.test("widget: registration asks for what is missing, and for the terms", async () => {
  await onSignInPage(
    { open: states.register!, act: states.verify_email! },
    async (page, server) => {
      await page.getByLabel(en.givenName).fill("Vera");
      await page.getByLabel(en.familyName).fill("Lindqvist");
      await page.getByLabel(en.email).fill("vera");
      await field(page, en.password).fill("Abcdefgh12");
      const submit = page.getByRole("button", { name: en.register });
      await submit.click();
      await page.getByText(en.emailBad).waitFor();
      await page.getByLabel(en.email).fill("vera@acme.example");
      await submit.click();
      assert.equal(await focused(page), "terms");
      await page.getByLabel(en.acceptTerms).check();
      await submit.click();
      await page.getByRole("heading", { name: en.verifyTitle }).waitFor();
      assert.deepEqual(server.sent, [{
        action: "register",
        givenName: "Vera",
        familyName: "Lindqvist",
        email: "vera@acme.example",
        password: "Abcdefgh12",
        acceptTerms: true,
      }]);
    },
  );
});

Deno.test("widget: what was typed as a name stays on the way to the reset, and stands there for managers", async () => {
  const start = { ...startState, ways: { ...startState.ways, reset: true } } as State;
  await onSignInPage({
    open: start,
    act: ({ action }) => action === "show_reset" ? { screen: "reset" } : states.reset_code!,
  }, async (page, server) => {
    await page.getByLabel(en.loginName).fill("vera");
    await page.getByRole("button", { name: en.forgot }).click();
    assert.equal(await page.getByLabel(en.loginName).inputValue(), "vera");
    await page.getByRole("button", { name: en.sendCode }).click();
    await page.getByText(en.resetCodeLead).waitFor();
    assert.equal(await page.locator("input[autocomplete=username]").inputValue(), "vera");
    assert.deepEqual(server.sent, [
      { action: "show_reset", loginName: "vera" },
      { action: "reset", loginName: "vera" },
    ]);
  });
});

Deno.test("widget: an account is chosen or forgotten by keyboard", async () => {
  await onSignInPage(
    { open: opened(states.accounts!), act: () => startState },
    async (page, server) => {
      await page.getByRole("heading", { name: en.chooseAccount }).waitFor();
      await page.keyboard.press("Tab");
      assert.equal(await focused(page), "Remove vera@acme.example from this list");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await page.getByLabel(en.loginName).waitFor();
      assert.deepEqual(server.sent, [{ action: "choose_account", id: "2" }]);
    },
  );
});

Deno.test("widget: where another window has gone on with the flow, this one follows", async () => {
  let opens = 0;
  await using server = serveSignInPage({
    get open() {
      return ++opens === 1 ? startState : states.factor!;
    },
    act: "action_refused",
  });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.goto(server.url);
  await page.getByLabel(en.loginName).fill("vera");
  await field(page, en.password).fill("secret");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: en.factorTitle }).waitFor();
  assertClean();
});
