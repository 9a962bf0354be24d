// Every screen in a real browser: accessible in light and dark, 320 px wide, in a language from right to left, at large text.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { opened, states } from "../gallery/states.ts";
import { assertAccessible, assertReadable } from "./support/axe.ts";
import { launch, visitor } from "./support/browser.ts";
import { serveSignInPage } from "./support/sign_in_page.ts";

/** Nobody stays on them: the page is left. */
const leaving = ["external", "done"];
const names = Object.keys(states).filter((name) => !leaving.includes(name));

const view = "gatehouse-login .view";

/** What of the widget is wider than the screen, or smaller than a finger (WCAG 2.2, 2.5.8: 24 px). */
const measure = (page: Page) =>
  page.evaluate(() => {
    const root = document.querySelector("gatehouse-login")!.shadowRoot!;
    const small = [...root.querySelectorAll<HTMLElement>("button, input, select, summary")]
      .filter((element) => element.checkVisibility() && !element.closest(".later"))
      .filter((element) => {
        const { width, height } = element.getBoundingClientRect();
        // A tick's label is part of its target.
        return element.getAttribute("type") !== "checkbox" && (width < 24 || height < 24);
      })
      .map((element) => element.outerHTML);
    return {
      small,
      width: document.documentElement.scrollWidth,
      headings: root.querySelectorAll("h1").length,
    };
  });

Deno.test("widget: every screen is accessible, in light and dark, and fits 320 px", async () => {
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  for (const name of [...names, "stopped"]) {
    await using server = serveSignInPage({
      open: name === "stopped" ? "flow_not_found" : opened(states[name]!),
    });
    await page.setViewportSize({ width: 1280, height: 860 });
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.goto(server.url);
    await page.locator(view).waitFor();
    const wide = await measure(page);
    assert.deepEqual([wide.small, wide.headings], [[], 1], name);
    for (const others of await page.locator("details").all()) await others.click();
    await assertAccessible(page, `${name}, light`);
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await assertReadable(page, `${name}, dark`);
    await page.setViewportSize({ width: 320, height: 640 });
    assert.equal((await measure(page)).width, 320, `${name}: its width at 320 px`);
    await page.evaluate(() => document.documentElement.style.fontSize = "200%");
    assert.equal(
      (await measure(page)).width,
      320,
      `${name}: its width with text of twice the size`,
    );
    assertClean();
  }
});

Deno.test("widget: every screen from right to left, and in forced colours", async () => {
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.setViewportSize({ width: 320, height: 640 });
  for (const name of names) {
    await using server = serveSignInPage({ open: opened(states[name]!), language: "ar" });
    await page.emulateMedia({ forcedColors: "none" });
    await page.goto(server.url);
    await page.locator(view).waitFor();
    const direction = await page.locator(view).evaluate((element) =>
      getComputedStyle(element).direction
    );
    assert.equal(direction, "rtl", name);
    assert.equal((await measure(page)).width, 320, `${name}: its width at 320 px`);
    const english = await page.locator(view).evaluate((element) =>
      (element as HTMLElement).innerText.match(/\b(Sign in|Back|Continue|Confirm|Password|Code)\b/g)
    );
    assert.equal(english, null, `${name}: a text that was not translated`);
    await page.emulateMedia({ forcedColors: "active" });
    await assertAccessible(page, `${name}, ar`);
    assertClean();
  }
});

Deno.test("widget: a language the page is not in is chosen by the person, and the title and direction follow", async () => {
  await using server = serveSignInPage({ open: opened(states.start!) });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.goto(server.url);
  await page.getByLabel("Language").selectOption("de");
  await page.getByRole("heading", { name: "Anmelden" }).waitFor();
  assert.equal(await page.title(), "Anmelden · Storefront");
  assert.deepEqual(
    await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]),
    ["de", "ltr"],
  );
  await page.getByLabel("Sprache").selectOption("ar");
  await page.locator('[dir="rtl"] h1').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dir), "rtl");
  assertClean();
});

Deno.test("widget: a tenant's look: its colours, layout, logo and words; the page outside wins", async () => {
  await using server = serveSignInPage({
    open: opened(states.start!, {
      languages: ["da"],
      look: {
        layout: "split",
        logoUrl: "mark.svg",
        tokens: { accent: "#5b21b6", radius: "2px; } * { display: none" },
        texts: { da: { title: "Velkommen til Acme" }, en: { title: "Welcome to Acme" } },
      },
    }),
  });
  await using browser = await launch();
  const { page, assertClean } = await visitor(browser);
  await page.goto(server.url);
  await page.getByRole("heading", { name: "Velkommen til Acme" }).waitFor(); // English is not offered
  const button = page.getByRole("button", { name: "Log ind", exact: true });
  const ground = () => button.evaluate((element) => getComputedStyle(element).backgroundColor);
  assert.equal(await ground(), "rgb(91, 33, 182)");
  await page.getByRole("img", { name: "Acme Industries" }).waitFor();
  assert.ok(await page.locator("gatehouse-login .brand").isVisible());
  await page.evaluate(() =>
    document.querySelector<HTMLElement>("gatehouse-login")!.style.setProperty(
      "--gatehouse-accent",
      "#00f",
    )
  );
  assert.equal(await ground(), "rgb(0, 0, 255)");
  await assertAccessible(page, "themed");
  assertClean();
});
