// What an application may ask of a sign-in, and who is signed in already: the chooser, prompts, hints, ages, languages.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { de } from "../../../widget/src/texts/de.ts";
import { en } from "../../../widget/src/texts/en.ts";
import { authorize, landed } from "../support/authorize.ts";
import type { Here } from "../support/demo.ts";
import { fill, heading, namePassword, newPassword, press, steps } from "../support/people.ts";

const signedIn = { code: true, error: null };

export async function asked(t: Deno.TestContext, here: Here): Promise<void> {
  const { demo, browser } = here;
  const vera = demo.tenant.user;
  const step = steps(t, browser);
  const ask = (page: Page, more?: Record<string, string>) => authorize(page, here, more);
  const loginName = (page: Page, label = en.loginName) => page.getByLabel(label, { exact: true });
  /** The first time a second step is offered. */
  const typed = async (page: Page, login: string, password: string, { first = false } = {}) => {
    await namePassword(page, login, password);
    if (first) await press(page, en.skip);
    assert.deepEqual(await landed(page), signedIn);
  };

  await step(
    "ui_locales is the page's language, login_hint the name that stands there",
    async ({ page }) => {
      await ask(page, { ui_locales: "xx de fr", login_hint: vera.login });
      await heading(page, de.title).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
      assert.equal(await loginName(page, de.loginName).inputValue(), vera.login);
    },
  );

  await step("prompt=create begins with the registration", async ({ page }) => {
    await ask(page, { prompt: "create" });
    await heading(page, en.register).waitFor();
    await page.getByLabel(en.givenName).waitFor();
  });

  const password = newPassword();
  const olaf = await demo.person("olaf", { password });
  await step(
    "who is signed in goes on unasked; prompt=login and an age ask again; the chooser knows both accounts",
    async ({ page }) => {
      const choose = async (login: string) => {
        await heading(page, en.chooseAccount).waitFor();
        await page.getByRole("button", { name: login }).first().click();
      };
      await ask(page);
      await typed(page, vera.login, vera.password, { first: true });
      await ask(page);
      assert.deepEqual(await landed(page), signedIn);

      await ask(page, { prompt: "login" });
      await typed(page, vera.login, vera.password);
      await new Promise((resolve) => setTimeout(resolve, 2_100));
      await ask(page, { max_age: "1" });
      await choose(vera.login); // it is her still, but too long ago
      await typed(page, vera.login, vera.password);
      await ask(page, { max_age: "600" });
      assert.deepEqual(await landed(page), signedIn);

      await ask(page, { prompt: "select_account" });
      await heading(page, en.chooseAccount).waitFor();
      await page.getByRole("button", { name: en.otherAccount }).click();
      await typed(page, olaf.loginName, password, { first: true });

      await ask(page); // two are signed in: which one is meant, only the person knows
      await choose(olaf.loginName);
      assert.deepEqual(await landed(page), signedIn);
      await ask(page, { prompt: "none" });
      assert.deepEqual(await landed(page), { code: false, error: "account_selection_required" });
      await ask(page, { login_hint: vera.login });
      assert.deepEqual(await landed(page), signedIn);

      await ask(page, { prompt: "select_account" });
      await page.getByRole("button", { name: en.forget.replace("{name}", olaf.loginName) }).click();
      await page.getByText(olaf.loginName).waitFor({ state: "detached" });
      await ask(page);
      assert.deepEqual(await landed(page), signedIn);
    },
  );

  await step(
    "a name that the application names and nobody has is not told apart",
    async ({ page }) => {
      await ask(page, { login_hint: "nobody@people.example" });
      assert.equal(await loginName(page).inputValue(), "nobody@people.example");
      await fill(page, en.password, password);
      await press(page, en.signIn);
      await page.getByRole("alert").getByText(en.x_credentials_refused).waitFor();
    },
  );
}
