// The account page in a browser: what a person changes there, and what it takes.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Act } from "../../functions/widget/account_contract.ts";
import { accountEn } from "../../widget/src/texts/account_en.ts";
import { en } from "../../widget/src/texts/en.ts";
import { account, type AccountAnswers, pendings, serveAccountPage } from "../gallery/account.ts";
import { assertAccessible, assertReadable } from "./support/axe.ts";
import { launch, visitor } from "./support/browser.ts";

type Server = ReturnType<typeof serveAccountPage>;

async function onAccountPage(
  answers: AccountAnswers,
  act: (page: Page, server: Server) => Promise<void>,
  query = "tenant=acme",
): Promise<void> {
  await using server = serveAccountPage(answers, { open: "flow_not_found" });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.goto(`${server.base}me?${query}`);
  await act(page, server);
  assertClean();
}

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const focusedName = (page: Page) =>
  page.evaluate(() => {
    const inner = document.activeElement?.shadowRoot?.activeElement;
    return inner?.getAttribute("aria-label") ?? inner?.getAttribute("name") ?? inner?.textContent;
  });

Deno.test("account page: accessible in light and dark and right to left, at 320 px, and every dialogue of it", async () => {
  for (const language of ["en", "ar"]) {
    await onAccountPage({ language }, async (page) => {
      await page.locator("gatehouse-account section").first().waitFor();
      await assertAccessible(page, `account, light, ${language}`);
      await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
      await assertReadable(page, `account, dark, ${language}`);
      await page.setViewportSize({ width: 320, height: 640 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
      assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
    });
  }
  const steps = Object.entries(pendings);
  await onAccountPage({ act: (_, nth) => ({ pending: steps[nth - 1]![1] }) }, async (page) => {
    for (const [name] of steps) {
      await button(page, accountEn.addPasskey).click();
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      await assertAccessible(page, name);
      await page.evaluate(() =>
        // the next step, without a word to the function
        document.querySelector("gatehouse-account")!.shadowRoot!.querySelector("dialog")!.close()
      );
    }
  });
});

Deno.test("account page: nobody signed in is sent to sign in, for that tenant", async () => {
  await onAccountPage({ get: "account_signed_out" }, async (page, server) => {
    await page.waitForURL(`${server.base}login?tenant=acme`);
  });
});

Deno.test("account page: a name is changed in a dialogue, by keyboard; the focus comes back, and it is said", async () => {
  const renamed = { ...account, profile: { ...account.profile, givenName: "Wera" } };
  await onAccountPage({ act: () => ({ account: renamed }) }, async (page, server) => {
    await button(page, "Change: Name").focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("heading", { name: accountEn.name }).waitFor();
    assert.equal(await focusedName(page), "given-name");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await focusedName(page), "Change: Name");
    assert.deepEqual(server.acts, [], "nothing was begun, so nothing is cancelled");

    await page.keyboard.press("Enter");
    await page.getByLabel(en.givenName).fill("Wera");
    await page.keyboard.press("Enter");
    await page.getByText("Wera Lindqvist").waitFor();
    await page.getByRole("status").getByText(accountEn.saved).waitFor();
    assert.equal(await focusedName(page), "Change: Name");
    assert.deepEqual(server.acts, [
      { action: "set_profile", givenName: "Wera", familyName: "Lindqvist" },
    ]);
  });
});

Deno.test("account page: what changes the way in asks for a proof, and goes on after it", async () => {
  const said = (act: Act, nth: number) =>
    nth === 1
      ? "proof_required"
      : nth === 3
      ? "credentials_refused"
      : act.action === "begin_proof"
      ? { pending: pendings["account.proof"]! }
      : act.action === "set_up"
      ? { pending: pendings["account.setup_totp"]! }
      : act.action === "confirm_totp"
      ? { pending: pendings["account.recovery_codes"]! }
      : {};
  await onAccountPage({ act: said }, async (page, server) => {
    await button(page, "Set up: Code by e-mail").click();
    const dialog = page.getByRole("dialog");
    const password = dialog.getByLabel(en.password, { exact: true });
    await password.fill("wrong");
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").getByText(en.x_credentials_refused).waitFor();
    assert.equal(await password.inputValue(), "");
    await password.fill("right");
    await page.keyboard.press("Enter");
    await dialog.getByLabel(en.code, { exact: true }).fill("123456");
    await page.keyboard.press("Enter");
    await dialog.getByText("7KQ2-M9XD").waitFor();
    await dialog.getByRole("button", { name: en.codesSaved }).click();
    await dialog.waitFor({ state: "hidden" });
    assert.equal(await focusedName(page), "Set up: Code by e-mail");
    assert.deepEqual(server.acts, [
      { action: "set_up", method: "email_code" },
      { action: "begin_proof" },
      { action: "prove", proof: { method: "password", password: "wrong" } },
      { action: "prove", proof: { method: "password", password: "right" } },
      { action: "set_up", method: "email_code" },
      { action: "confirm_totp", code: "123456" },
      { action: "cancel" },
    ]);
  });
});

Deno.test("account page: a directory is linked by its name and password, asked there", async () => {
  const said = (act: Act) =>
    act.action === "link" && act.directory?.password === "wrong" ? "credentials_refused" : {};
  await onAccountPage({ act: said }, async (page, server) => {
    await button(page, "Link: Corporate directory").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("heading", { name: "Corporate directory" }).waitFor();
    await assertAccessible(page, "a directory's dialogue");
    assert.equal(await focusedName(page), "username");
    await dialog.getByLabel(en.loginName, { exact: true }).fill("grace");
    const password = dialog.getByLabel(en.password, { exact: true });
    for (const typed of ["wrong", "right"]) {
      await password.fill(typed);
      await page.keyboard.press("Enter");
      if (typed === "right") continue;
      await dialog.getByRole("alert").getByText(en.x_credentials_refused).waitFor();
      assert.equal(await password.inputValue(), "");
    }
    await dialog.waitFor({ state: "hidden" });
    const link = (password: string) => ({
      ...{ action: "link", providerId: "p4", directory: { username: "grace", password } },
    });
    assert.deepEqual(server.acts, [link("wrong"), link("right")]);
  });
});

Deno.test("account page: whoever closes the proof has changed nothing, and the function is told", async () => {
  await onAccountPage({
    act: ({ action }) =>
      action === "remove_key"
        ? "proof_required"
        : action === "begin_proof"
        ? { pending: pendings["account.proof"]! }
        : {},
  }, async (page, server) => {
    await button(page, "Remove: Blue key").click();
    await page.getByRole("dialog").getByRole("heading", { name: "Remove “Blue key”?" }).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: accountEn.remove }).click();
    await page.getByRole("dialog").getByLabel(en.password, { exact: true }).waitFor();
    const told = page.waitForResponse(/account\/act$/);
    await button(page, accountEn.close).click();
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await told;
    assert.deepEqual(server.acts, [
      { action: "remove_key", id: "k2" },
      { action: "begin_proof" },
      { action: "cancel" },
    ]);
  });
});

Deno.test("account page: the last factor stays, and the page says why", async () => {
  await onAccountPage({ act: () => "last_factor" }, async (page) => {
    await button(page, "Remove: Authenticator app").click();
    await page.getByRole("dialog").getByRole("button", { name: accountEn.remove }).click();
    await page.getByRole("dialog").getByRole("alert").getByText(accountEn.x_last_factor).waitFor();
  });
});

Deno.test("account page: a device is signed out from afar; signing out here leads to the sign-in", async () => {
  const without = { ...account, sessions: account.sessions.slice(0, 1) };
  await onAccountPage({ act: () => ({ account: without }) }, async (page, server) => {
    await button(page, "Sign out: Safari · iPhone").click();
    await page.getByText("Safari · iPhone").waitFor({ state: "detached" });
    await button(page, "Sign out: Chrome · Linux").click();
    await page.waitForURL(`${server.base}login?tenant=acme`);
    assert.deepEqual(server.acts, [
      { action: "end_session", id: "s2" },
      { action: "sign_out" },
    ]);
  });
});

Deno.test("account page: the language is changed at once, and kept", async () => {
  await onAccountPage({}, async (page, server) => {
    await page.getByLabel(en.language).selectOption("ru");
    await page.getByRole("heading", { name: "Ваш аккаунт" }).waitFor();
    assert.equal(await page.title(), "Ваш аккаунт");
    await page.waitForFunction(() => document.documentElement.lang === "ru");
    await page.getByRole("status").getByText("Сохранено").first().waitFor();
    assert.deepEqual(server.acts, [{ action: "set_language", language: "ru" }]);
  });
});

Deno.test("account page: what a provider answered is taken out of the address and sent", async () => {
  await onAccountPage({}, async (page, server) => {
    await page.getByRole("status").getByText(accountEn.saved).first().waitFor();
    assert.equal(page.url(), `${server.base}me?tenant=acme`);
    assert.deepEqual(server.acts, [{ action: "intent", id: "i1", token: "t1", ticket: "k1" }]);
  }, "tenant=acme&id=i1&token=t1&ticket=k1");
});

Deno.test("account page: what another window has removed is gone here too, without a fault", async () => {
  let asked = 0;
  await onAccountPage({
    get get() {
      return ++asked === 1 ? account : { ...account, keys: account.keys.slice(0, 1) };
    },
    act: () => "key_not_found",
  }, async (page) => {
    await button(page, "Remove: Blue key").click();
    await page.getByRole("dialog").getByRole("button", { name: accountEn.remove }).click();
    await page.getByText("Blue key").first().waitFor({ state: "detached" });
    assert.equal(await page.getByRole("dialog").count(), 0);
  });
});
