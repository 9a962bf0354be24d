// Whether password managers find the fields inside the widget's shadow root (docs/adr/0009-widget-open-shadow-root.md): Chromium's
// own by trying it, two others by what their sources say they look for.
import assert from "node:assert/strict";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { en } from "../../widget/src/texts/en.ts";
import { states } from "../gallery/states.ts";
import { chromiumPath, launch, quiet, visitor } from "./support/browser.ts";
import { keepLogin } from "./support/chromium_logins.ts";
import { serveSignInPage, startState } from "./support/sign_in_page.ts";

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
    await page.locator("input:autofill[name=password]").waitFor({ timeout: 20_000 });
    await page.mouse.click(5, 5); // values are shown to the page only after somebody touched it
    assert.equal(await page.getByLabel(en.loginName).inputValue(), "vera");
    assert.equal(
      await page.getByLabel(en.password, { exact: true }).inputValue(),
      "kept by Chromium",
    );
    await context.close();
  } finally {
    await Deno.remove(profile, { recursive: true });
  }
});

interface Seen {
  name: string;
  type: string;
  autocomplete: string;
}

/**
 * What a manager that walks the page comes upon: through open shadow roots, not into SPAN, LABEL, A or drawings, of inputs only
 * those that show and are 8 px or more each way (KeePassXC-Browser); Bitwarden's walk differs in finding more, never less.
 */
const seenByManagers = (page: Page): Promise<Seen[]> =>
  page.evaluate(() => {
    const passedBy = ["SPAN", "LABEL", "A", "svg", "SCRIPT"];
    const seen: Seen[] = [];
    const walk = (node: Node) => {
      for (const child of node.childNodes) {
        if (!(child instanceof Element) || passedBy.includes(child.nodeName)) continue;
        if (child instanceof HTMLInputElement && child.type !== "hidden") {
          const { x, y, width, height } = child.getBoundingClientRect();
          const { name, type, autocomplete } = child;
          if (x >= 0 && y >= 0 && width >= 8 && height >= 8) {
            seen.push({ name, type, autocomplete });
          }
        }
        walk(child);
        if (child.shadowRoot) walk(child.shadowRoot);
      }
    };
    walk(document.body);
    return seen;
  });

const field = (name: string, type: string, autocomplete: string): Seen => ({
  name,
  type,
  autocomplete,
});

const expected: Record<string, Seen[]> = {
  "start.password": [
    field("username", "text", "username"),
    field("password", "password", "current-password"),
  ],
  "factor": [field("code", "text", "one-time-code")],
  // Nothing of it says code, otp, token or auth: no manager puts a TOTP there.
  "factor.recovery_code": [field("recovery", "text", "off")],
  // Loaded anew: on the way through it the present password was typed already.
  "change_password": [
    field("password", "password", "current-password"),
    field("new-password", "password", "new-password"),
  ],
  "ldap": [
    field("username", "text", "username"),
    field("password", "password", "current-password"),
  ],
};

Deno.test("other managers: they reach the fields, each says by name and autocomplete what it is", async () => {
  await using browser = await launch();
  for (const [name, fields] of Object.entries(expected)) {
    await using server = serveSignInPage({ open: states[name]! });
    const { page, context } = await visitor(browser);
    await page.goto(server.url);
    await page.locator("gatehouse-login form").waitFor();
    assert.deepEqual(await seenByManagers(page), fields, name);
    await context.close();
  }
});

Deno.test("other managers: one that watches the body alone is told of every new screen", async () => {
  await using server = serveSignInPage({ open: startState, act: states.factor! });
  await using browser = await launch();
  const { page } = await visitor(browser);
  await page.goto(server.url);
  await page.getByLabel(en.loginName).fill("vera");
  // KeePassXC-Browser: of changed classes those count whose element has a form in the page itself.
  await page.evaluate(() => {
    const noticed: string[] = [];
    new MutationObserver((records) => {
      for (const { target } of records) {
        const element = target as HTMLElement;
        if (element.getElementsByTagName("form").length > 0) noticed.push(element.className);
      }
    }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["class"] });
    Object.assign(globalThis, { noticed });
  });
  await page.getByLabel(en.password, { exact: true }).fill("secret");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: en.factorTitle }).waitFor();
  const noticed = await page.evaluate(() =>
    (globalThis as unknown as { noticed: string[] }).noticed
  );
  assert.deepEqual(noticed, ["factor"]);
  assert.deepEqual(await seenByManagers(page), expected.factor);
});

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const exists = (path: string) => Deno.stat(path).then(() => true, () => false);
