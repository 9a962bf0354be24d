// Passkeys, an invitation, a password that must be changed, a forced second factor: each to the storefront.
import assert from "node:assert/strict";
import { en } from "../../../widget/src/texts/en.ts";
import { codeInMail, type Here } from "../support/demo.ts";
import { authenticator, inStep, type Kept, keptBy } from "../support/passkeys.ts";
import {
  fill,
  heading,
  namePassword,
  newPassword,
  press,
  steps,
  toSignIn,
  welcome,
} from "../support/people.ts";

export async function people(
  t: Deno.TestContext,
  { facts: { storefrontUrl, functionsUrl, loginUrl }, demo, browser }: Here,
): Promise<void> {
  const step = steps(t, browser);
  const record = await demo.record();
  const wanda = { givenName: "Wanda", familyName: "Berg", email: "wanda@berg.example" };
  let kept: Kept = [];

  await step(
    "who registers may take a passkey in place of a password, once the address is proven",
    async ({ page }) => {
      const device = await authenticator(page);
      await toSignIn(page, storefrontUrl);
      await press(page, en.register);
      await fill(page, en.givenName, wanda.givenName);
      await fill(page, en.familyName, wanda.familyName);
      await fill(page, en.email, wanda.email);
      await press(page, en.withPasskey);
      await heading(page, en.verifyTitle).waitFor();
      assert.deepEqual(await keptBy(device), [], "nothing is made before");
      await fill(page, en.code, await demo.mailed(wanda.email, codeInMail));
      await press(page, en.confirm);
      await press(page, en.passkeySetupTitle); // then it is asked for by itself
      await welcome(page, "Wanda");
      kept = await keptBy(device);
      assert.deepEqual(kept.map(({ rpId }) => rpId), ["localhost"]);
      record.oneMore();
    },
  );

  await step("her passkey is her whole sign-in on another device", async ({ page }) => {
    const device = await inStep(page, kept);
    await toSignIn(page, storefrontUrl);
    await fill(page, en.loginName, wanda.email);
    await press(page, en.usePasskey);
    await welcome(page, "Wanda");
    assert.ok((await keptBy(device))[0]!.signCount > kept[0]!.signCount);
    record.oneMore();
  });

  await step("a finger that the device does not know leads nowhere but back", async ({ page }) => {
    await authenticator(page, { isUserVerified: false });
    await toSignIn(page, storefrontUrl);
    await fill(page, en.loginName, wanda.email);
    await press(page, en.usePasskey);
    await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
    await press(page, en.back);
    assert.equal(await page.getByLabel(en.loginName).inputValue(), wanda.email);
  });

  await step(
    "an invitation comes by mail; its link takes a password, which then signs in; used once, it stops",
    async ({ page }) => {
      const ivan = await demo.person("ivan");
      const shown = await demo.linkFor(ivan.id, { kind: "invitation", by: "mail" });
      assert.equal(shown, undefined, "only the mail has it");
      const link = await demo.mailed(ivan.email, /(https?:\/\/\S+\/widget\/link#\S+)/);
      assert.ok(link.startsWith(`${functionsUrl}/widget/link#kind=invitation&`), link);

      await page.goto(link);
      await heading(page, "Welcome, Ivan Person").waitFor();
      assert.equal(page.url(), `${functionsUrl}/widget/link`, "the code leaves the address");
      const password = newPassword();
      await fill(page, en.password, password);
      await press(page, en.next);
      await heading(page, en.doneInvited).waitFor();
      await toSignIn(page, storefrontUrl);
      await namePassword(page, ivan.loginName, password);
      await press(page, en.skip);
      await welcome(page, "Ivan");
      record.oneMore();

      await page.goto(link);
      await heading(page, en.stopped).waitFor();
    },
  );

  await step("a password that must be changed is changed on the way in", async ({ page }) => {
    const [first, second] = [newPassword(), newPassword()];
    const paula = await demo.person("paula", { password: first });
    await demo.zitadel.setPassword(paula.id, first, { changeRequired: true });
    await toSignIn(page, storefrontUrl);
    await namePassword(page, paula.loginName, first);
    await heading(page, en.newPasswordTitle).waitFor();
    await fill(page, en.newPassword, second);
    await press(page, en.savePassword);
    await press(page, en.skip);
    await welcome(page, "Paula");
    record.oneMore();

    await page.context().clearCookies();
    await toSignIn(page, storefrontUrl);
    await namePassword(page, paula.loginName, first);
    await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
    await namePassword(page, paula.loginName, second);
    await welcome(page, "Paula");
    record.oneMore();
  });

  await step("one that has run out too, by the organization's rule", async ({ page }) => {
    const [first, second] = [newPassword(), newPassword()];
    const olga = await demo.person("olga", { password: first });
    await demo.manage("POST", "policies/password/age", { maxAgeDays: 30, expireWarnDays: 0 });
    await demo.turn({ passwordAge: { userId: olga.id, days: 31 } });
    await toSignIn(page, storefrontUrl);
    await namePassword(page, olga.loginName, first);
    await heading(page, en.newPasswordTitle).waitFor();
    await page.getByText(en.expiredLead).waitFor();
    await fill(page, en.newPassword, first);
    await press(page, en.savePassword);
    await page.getByRole("alert").getByText(en.x_password_unchanged).waitFor();
    // Loaded anew the page does not know the present one any more.
    await page.reload();
    await fill(page, en.password, first);
    await fill(page, en.newPassword, second);
    await press(page, en.savePassword);
    await press(page, en.skip);
    await welcome(page, "Olga");
    record.oneMore();

    await page.context().clearCookies();
    await toSignIn(page, storefrontUrl);
    await namePassword(page, olga.loginName, second);
    await welcome(page, "Olga");
    record.oneMore();
  });

  const petra = { loginName: "", password: newPassword() };
  await step(
    "where a second factor is forced there is no later; the passkey set up is asked for at once",
    async ({ page }) => {
      const { loginName } = await demo.person("petra", petra);
      petra.loginName = loginName;
      await demo.manage("PUT", "policies/login", {
        ...{ allowUsernamePassword: true, allowRegister: true, allowExternalIdp: true },
        ...{ forceMfa: true, passwordlessType: "PASSWORDLESS_TYPE_ALLOWED" },
        ...{ passwordCheckLifetime: "36000s", externalLoginCheckLifetime: "36000s" },
        ...{ secondFactorCheckLifetime: "36000s", multiFactorCheckLifetime: "36000s" },
        mfaInitSkipLifetime: "2592000s",
      });
      const device = await authenticator(page);
      await toSignIn(page, storefrontUrl);
      await namePassword(page, loginName, petra.password);
      await heading(page, en.setupTitle).waitFor();
      assert.equal(await page.getByRole("button", { name: en.skip }).count(), 0);
      await page.getByRole("button", { name: new RegExp(`^${en.passkey}`) }).click();
      await press(page, en.passkeySetupTitle);
      await welcome(page, "Petra");
      kept = await keptBy(device);
      assert.equal(kept.length, 1);
      record.oneMore();
    },
  );

  await step("from then on the password alone does not do", async ({ page }) => {
    await authenticator(page, { isUserVerified: false });
    await toSignIn(page, storefrontUrl);
    await namePassword(page, petra.loginName, petra.password);
    await heading(page, en.keyTitle).waitFor(); // it is asked for by itself
    await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
    assert.ok(page.url().startsWith(loginUrl));
  });

  await step("and the passkey beside it does", async ({ page }) => {
    const device = await inStep(page, kept);
    await toSignIn(page, storefrontUrl);
    await namePassword(page, petra.loginName, petra.password);
    await welcome(page, "Petra");
    assert.ok((await keptBy(device))[0]!.signCount > kept[0]!.signCount);
    record.oneMore();
  });
  await t.step("each of these is one sign-in on record", record.isRight);
}
