/**
 * The widget before its real function, the double of ZITADEL and the mailbox: what one person does from registering to signing out, through
 * the pages alone. What each screen is like: widget_screens.test.ts; every way through the policy: test/unit/widget/.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { TOTP } from "otpauth";
import type { Page } from "playwright-core";
import { accountEn } from "../../widget/src/texts/account_en.ts";
import { en } from "../../widget/src/texts/en.ts";
import { eventually } from "../support/eventually.ts";
import { startStack, type TestStack } from "../support/stack.ts";
import { launch, type Visitor, visitor } from "./support/browser.ts";

const wilma = { givenName: "Wilma", familyName: "Berg", email: "wilma@berg.example" };

/** The newest code that was sent to Wilma, other than `before`. */
function mailedCode(mailUrl: string, before = ""): Promise<string> {
  return eventually("a mail with a new code", async () => {
    const messages = await (await fetch(`${mailUrl}/messages`)).json() as {
      to: string[];
      text: string;
    }[];
    const own = messages.filter(({ to }) => to.some((address) => address.includes(wilma.email)));
    const code = own.map(({ text }) => /^\s*([A-Z0-9]{6,12})\s*$/m.exec(text)?.[1]).at(-1);
    return code === before ? undefined : code;
  });
}

/** As an administrator at ZITADEL sets them; by itself it offers an app and keys only. */
async function allowRecoveryCodes({ facts, dir }: TestStack): Promise<void> {
  const token = await Deno.readTextFile(join(dir, "credentials/zitadel/provisioner.pat"));
  const path = "/management/v1/policies/login/second_factors"; // its own policy is there, with its providers
  const response = await fetch(`${facts.issuer}${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token.trim()}`,
      "content-type": "application/json",
      "x-zitadel-orgid": facts.demo.tenant!.organizationId,
    },
    body: JSON.stringify({ type: "SECOND_FACTOR_TYPE_RECOVERY_CODES" }),
  });
  assert.equal(response.status, 200, await response.text());
}

const heading = (page: Page, name: string) => page.getByRole("heading", { name, exact: true });
const press = (page: Page, name: string) =>
  page.getByRole("button", { name, exact: true }).first().click();
const fill = (page: Page, label: string, value: string) =>
  page.getByLabel(label, { exact: true }).fill(value);

/** The name, then the password where the page asks for them one after the other. */
async function namePassword(page: Page, loginName: string, password: string) {
  await fill(page, en.loginName, loginName);
  const next = page.getByRole("button", { name: en.next, exact: true });
  if (await next.isVisible()) await next.click();
  await page.getByRole("button", { name: en.signIn, exact: true }).waitFor();
  await fill(page, en.password, password);
  await press(page, en.signIn);
}

Deno.test("one person's way: registers, sets up an app, comes back with it and without it, forgets the password, looks after the account", async (t) => {
  await using stack = await startStack([]);
  const { storefrontUrl, mailUrl, functionsUrl } = stack.facts;
  await allowRecoveryCodes(stack);
  await using browser = await launch();
  let password = `${crypto.randomUUID()}-Aa1`;
  let totp: TOTP | undefined;
  let recovery: string[] = [];
  const used = new Set<string>();
  /** Each counts once; the one before and the one after the present are taken too (RFC 6238, 5.2). */
  const code = async () => {
    const fresh = await eventually(
      "a code that was not used",
      () =>
        [0, 30_000, -30_000].map((ms) => totp!.generate({ timestamp: Date.now() + ms }))
          .find((one) => !used.has(one)),
      60_000,
    );
    used.add(fresh);
    return fresh;
  };
  const welcome = (page: Page) => page.getByText(/^Welcome back, Wilma/).waitFor();

  const step = async (name: string, run: (visitor: Visitor) => Promise<void>) => {
    const somebody = await visitor(browser);
    const ok = await t.step(name, async () => {
      await run(somebody).catch(async (error) => {
        const shown = await somebody.page.locator("gatehouse-login, gatehouse-account").first()
          .evaluate((element) => (element.shadowRoot?.firstElementChild as HTMLElement)?.innerText)
          .catch(() => "");
        throw new Error(`${error.message}\nThe page shows:\n${shown}`, { cause: error });
      });
      somebody.assertClean();
    });
    await somebody.context.close();
    assert.ok(ok, `The way ends at "${name}"`);
  };
  const toSignIn = async (page: Page) => {
    await page.goto(storefrontUrl);
    await press(page, en.signIn);
    await page.getByText(/^to continue to /).waitFor();
  };

  await step(
    "she registers; a code proves the address; an app is set up from the key",
    async ({ page }) => {
      await toSignIn(page);
      await press(page, en.register);
      await fill(page, en.givenName, wilma.givenName);
      await fill(page, en.familyName, wilma.familyName);
      await fill(page, en.email, wilma.email);
      await fill(page, en.password, password);
      await press(page, en.register);
      await heading(page, en.verifyTitle).waitFor();
      await fill(page, en.code, "WRONG1");
      await press(page, en.confirm);
      await page.getByRole("alert").getByText(en.x_code_refused).waitFor();
      await fill(page, en.code, await mailedCode(mailUrl));
      await press(page, en.confirm);

      await heading(page, en.setupTitle).waitFor();
      await page.getByRole("button", { name: en.totp }).click();
      const secret = (await page.locator(".secret code").innerText()).replace(/\s/g, "");
      totp = new TOTP({ secret });
      await fill(page, en.code, await code());
      await press(page, en.confirm);
      await heading(page, en.codesTitle).waitFor();
      recovery = await page.locator(".codes li").allTextContents();
      assert.ok(recovery.length >= 6, recovery.join());
      await press(page, en.codesSaved);
      await welcome(page);
    },
  );

  await step(
    "in another browser the password alone does not do: the app's code does, a wrong one does not",
    async ({ page }) => {
      await toSignIn(page);
      await namePassword(page, wilma.email, password);
      await heading(page, en.factorTitle).waitFor();
      await fill(page, en.code, "000000");
      await press(page, en.confirm);
      await page.getByRole("alert").getByText(en.x_code_refused).waitFor();
      await fill(page, en.code, await code());
      await press(page, en.confirm);
      await welcome(page);
    },
  );

  await step("without the app a recovery code lets her in, once", async ({ page }) => {
    await toSignIn(page);
    await namePassword(page, wilma.email, password);
    await page.getByText(en.otherWays).click();
    await page.getByRole("button", { name: en.recovery_code }).click();
    await fill(page, en.recovery_code, recovery[0]!);
    await press(page, en.confirm);
    await welcome(page);
  });

  await step("a forgotten password is set anew by a code from the mail", async ({ page }) => {
    const before = await mailedCode(mailUrl);
    await toSignIn(page);
    await fill(page, en.loginName, wilma.email);
    const next = page.getByRole("button", { name: en.next, exact: true });
    if (await next.isVisible()) await next.click();
    await press(page, en.forgot);
    assert.equal(await page.getByLabel(en.loginName).inputValue(), wilma.email);
    await press(page, en.sendCode);
    await page.getByText(en.resetCodeLead).waitFor();
    password = `${crypto.randomUUID()}-Bb2`;
    await fill(page, en.code, await mailedCode(mailUrl, before));
    await fill(page, en.newPassword, password);
    await press(page, en.savePassword);
    await heading(page, en.factorTitle).waitFor();
    await fill(page, en.code, await code());
    await press(page, en.confirm);
    await welcome(page);
  });

  await step(
    "on the account page she changes her name, sees her devices, and signs out",
    async ({ page }) => {
      await page.goto(`${functionsUrl}/widget/me?tenant=demo`);
      await page.waitForURL(/\/widget\/login\?tenant=demo$/);
      await namePassword(page, wilma.email, password);
      await heading(page, en.factorTitle).waitFor();
      await fill(page, en.code, await code());
      await press(page, en.confirm);
      await heading(page, accountEn.accountTitle).waitFor();
      await press(page, "Change: Name");
      await page.getByRole("dialog").getByLabel(en.familyName, { exact: true }).fill("Fjell");
      await page.getByRole("dialog").getByRole("button", { name: accountEn.save }).click();
      await page.locator(".facts").getByText("Wilma Fjell").waitFor();
      await page.getByText(accountEn.current).waitFor();
      await page.getByLabel(en.language).selectOption("da");
      await heading(page, "Din konto").waitFor();
      await page.getByRole("button", { name: /^Log ud: Chrome/ }).first().click();
      await page.waitForURL(/\/widget\/login\?tenant=demo$/);
    },
  );

  await step("who came back in the same browser goes on without typing", async ({ page }) => {
    await toSignIn(page);
    await namePassword(page, wilma.email, password);
    await fill(page, en.code, await code());
    await press(page, en.confirm);
    await welcome(page);
    await page.context().clearCookies({ name: /^storefront/ });
    await page.goto(storefrontUrl);
    await press(page, en.signIn);
    const choice = page.getByRole("button", { name: new RegExp(wilma.email) }).first();
    await choice.or(page.getByText(/^Welcome back/)).first().waitFor();
    if (await choice.isVisible()) await choice.click();
    await page.getByText(/^Welcome back/).waitFor();
  });
});
