// Whether a browser's own password manager finds the fields inside the widget's shadow root (docs/adr/0009-widget-open-shadow-root.md).
import assert from "node:assert/strict";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { chromiumPath, quiet } from "./support/browser.ts";
import { keepLogin } from "./support/chromium_logins.ts";
import { serveSignInPage } from "./support/sign_in_page.ts";

Deno.test("Chromium's own password manager fills in the sign-in page", async () => {
  await using server = serveSignInPage();
  const profile = await Deno.makeTempDir({ prefix: "gatehouse-chromium-" });
  const open = () =>
    chromium.launchPersistentContext(profile, {
      executablePath: chromiumPath,
      args: [...quiet, "--headless=new", "--password-store=basic"],
      // Under automation Chromium keeps and fills no password.
      ignoreDefaultArgs: ["--enable-automation", "--headless"],
    });
  try {
    const { url } = server;
    const first = await open();
    while (!await exists(join(profile, "Default/Login Data"))) await delay(100);
    await first.close();
    keepLogin(profile, { url, userName: "vera", password: "kept by Chromium" });

    const context = await open();
    const page = await context.newPage();
    await page.goto(url);
    await page.getByText("to continue to Shop").waitFor();
    await page.locator("input:autofill[name=password]").waitFor({ timeout: 10_000 });
    await page.mouse.click(5, 5); // values are shown to the page only after somebody touched it
    assert.equal(await page.getByLabel("User name or e-mail").inputValue(), "vera");
    assert.equal(
      await page.getByLabel("Password", { exact: true }).inputValue(),
      "kept by Chromium",
    );
    await context.close();
  } finally {
    await Deno.remove(profile, { recursive: true });
  }
});

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const exists = (path: string) => Deno.stat(path).then(() => true, () => false);
