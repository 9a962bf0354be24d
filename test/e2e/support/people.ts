// People at our pages, by what things there are called; and steps of which each needs the one before.
import assert from "node:assert/strict";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { en } from "../../../widget/src/texts/en.ts";
import { type Visitor, visitor } from "./browser.ts";

export const heading = (page: Page, name: string) =>
  page.getByRole("heading", { name, exact: true });
export const press = (page: Page, name: string) =>
  page.getByRole("button", { name, exact: true }).first().click();
export const fill = (page: Page, label: string, value: string) =>
  page.getByLabel(label, { exact: true }).fill(value);

/** As every policy of the demo takes it. */
export const newPassword = () => `${crypto.randomUUID()}-Aa1`;

/** From the storefront to our sign-in page. */
export async function toSignIn(page: Page, storefrontUrl: string): Promise<void> {
  await page.goto(storefrontUrl);
  await press(page, en.signIn);
  await page.getByText(/^to continue to /).waitFor();
}

/** The storefront's word to whoever is signed in. */
export const welcome = (page: Page, name: string) =>
  page.getByText(new RegExp(`^Welcome back, ${name}`)).waitFor();

/** The name, then the password where the page asks for them one after the other. */
export async function namePassword(page: Page, loginName: string, password: string) {
  await fill(page, en.loginName, loginName);
  const next = page.getByRole("button", { name: en.next, exact: true });
  if (await next.isVisible()) await next.click();
  await page.getByRole("button", { name: en.signIn, exact: true }).waitFor();
  await fill(page, en.password, password);
  await press(page, en.signIn);
}

/** Each step is somebody at a browser of their own. One that fails ends the test: what follows would only repeat it. */
export function steps(t: Deno.TestContext, browser: Browser) {
  return async (name: string, run: (visitor: Visitor) => Promise<void>): Promise<void> => {
    const somebody = await visitor(browser);
    const faults = faultsIn(somebody.context);
    const ok = await t.step(name, async () => {
      await run(somebody).catch(async (error) => {
        throw new Error(
          `${error.message}\n${await shown(somebody.context)}\n${faults.join("\n")}`,
          {
            cause: error,
          },
        );
      });
      somebody.assertClean();
      assert.deepEqual(faults, []);
    });
    await somebody.context.close();
    assert.ok(ok, `The way ends at "${name}"`);
  };
}

/**
 * What any page of a browser, its popups too, complains of in the console, breaches of content policies among it. Not what the browser
 * itself says of an answer above 399: a refusal is one.
 */
function faultsIn(context: BrowserContext): string[] {
  const faults: string[] = [];
  context.on("weberror", (error) => faults.push(String(error.error())));
  context.on("console", (message) => {
    const answer = /^Failed to load resource: the server responded/.test(message.text());
    if (message.type() === "error" && !answer) faults.push(message.text());
  });
  return faults;
}

async function shown(context: BrowserContext): Promise<string> {
  const pages = await Promise.all(
    context.pages().map(async (page) => {
      const text = await page.evaluate(() => {
        const element = document.querySelector("gatehouse-login, gatehouse-account");
        const inner = element?.shadowRoot?.firstElementChild as HTMLElement | undefined;
        return inner?.innerText ?? document.body.innerText;
      }).catch(() => "");
      return `${page.url()} shows:\n${text}`;
    }),
  );
  return pages.join("\n");
}
