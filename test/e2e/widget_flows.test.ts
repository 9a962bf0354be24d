/**
 * The widget before its real function, the double of ZITADEL and the mailbox: what one person does from registering to signing out, through
 * the pages alone. What each screen is like: widget_screens.test.ts; every way through the policy: test/unit/widget/.
 */
import assert from "node:assert/strict";
import { TOTP } from "otpauth";
import { accountEn } from "../../widget/src/texts/account_en.ts";
import { en } from "../../widget/src/texts/en.ts";
import { eventually } from "../support/eventually.ts";
import { startStack } from "../support/stack.ts";
import { launch } from "./support/browser.ts";
import { codeInMail, openDemo } from "./support/demo.ts";
import { fill, heading, namePassword, press, steps, toSignIn, welcome } from "./support/people.ts";

const wilma = { givenName: "Wilma", familyName: "Berg", email: "wilma@berg.example" };

Deno.test("one person's way: registers, sets up an app, comes back with it and without it, forgets the password, looks after the account", async (t) => {
  await using stack = await startStack([]);
  const { storefrontUrl, functionsUrl } = stack.facts;
  await using demo = await openDemo(stack);
  // As an administrator at ZITADEL allows them; by itself it offers an app and keys only. The policy is the tenant's own, with its providers.
  await demo.manage("POST", "policies/login/second_factors", {
    type: "SECOND_FACTOR_TYPE_RECOVERY_CODES",
  });
  await using browser = await launch();
  const step = steps(t, browser);
  const mailedCode = (before?: string) => demo.mailed(wilma.email, codeInMail, before);
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
  await step(
    "she registers; a code proves the address; an app is set up from the key",
    async ({ page }) => {
      await toSignIn(page, storefrontUrl);
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
      await fill(page, en.code, await mailedCode());
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
      await welcome(page, "Wilma");
    },
  );

  await step(
    "in another browser the password alone does not do: the app's code does, a wrong one does not",
    async ({ page }) => {
      await toSignIn(page, storefrontUrl);
      await namePassword(page, wilma.email, password);
      await heading(page, en.factorTitle).waitFor();
      await fill(page, en.code, "000000");
      await press(page, en.confirm);
      await page.getByRole("alert").getByText(en.x_code_refused).waitFor();
      await fill(page, en.code, await code());
      await press(page, en.confirm);
      await welcome(page, "Wilma");
    },
  );

  await step("without the app a recovery code lets her in, once", async ({ page }) => {
    await toSignIn(page, storefrontUrl);
    await namePassword(page, wilma.email, password);
    await page.getByText(en.otherWays).click();
    await page.getByRole("button", { name: en.recovery_code }).click();
    await fill(page, en.recovery_code, recovery[0]!);
    await press(page, en.confirm);
    await welcome(page, "Wilma");
  });

  await step("a forgotten password is set anew by a code from the mail", async ({ page }) => {
    const before = await mailedCode();
    await toSignIn(page, storefrontUrl);
    await fill(page, en.loginName, wilma.email);
    const next = page.getByRole("button", { name: en.next, exact: true });
    if (await next.isVisible()) await next.click();
    await press(page, en.forgot);
    assert.equal(await page.getByLabel(en.loginName).inputValue(), wilma.email);
    await press(page, en.sendCode);
    await page.getByText(en.resetCodeLead).waitFor();
    password = `${crypto.randomUUID()}-Bb2`;
    await fill(page, en.code, await mailedCode(before));
    await fill(page, en.newPassword, password);
    await press(page, en.savePassword);
    await heading(page, en.factorTitle).waitFor();
    await fill(page, en.code, await code());
    await press(page, en.confirm);
    await welcome(page, "Wilma");
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
    await toSignIn(page, storefrontUrl);
    await namePassword(page, wilma.email, password);
    await fill(page, en.code, await code());
    await press(page, en.confirm);
    await welcome(page, "Wilma");
    await page.context().clearCookies({ name: /^storefront/ });
    await page.goto(storefrontUrl);
    await press(page, en.signIn);
    const choice = page.getByRole("button", { name: new RegExp(wilma.email) }).first();
    await choice.or(page.getByText(/^Welcome back/)).first().waitFor();
    if (await choice.isVisible()) await choice.click();
    await page.getByText(/^Welcome back/).waitFor();
  });
});
