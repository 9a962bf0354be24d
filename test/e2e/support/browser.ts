// Chromium without a word to the outside, and what every page of ours must keep: no breach of its content policy, no script error.
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import assert from "node:assert/strict";

/** Without them Chromium asks for updates and accounts, with them it sends no packet (research: feasibility, 7). */
export const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

export const chromiumPath = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath, args: quiet });
}

export interface Visitor {
  page: Page;
  context: BrowserContext;
  /** The latest bearer token that a page sent to an address below `url`. */
  tokenSentTo(url: string): string | undefined;
  /** Fails when a page broke its policy or threw. */
  assertClean(): void;
}

/** Somebody at a browser of their own: no cookie of anybody else's. */
export async function visitor(browser: Browser): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    colorScheme: "light",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const faults: string[] = [];
  const tokens: { url: string; token: string }[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (/content security policy|trustedhtml|trusted type/i.test(message.text())) {
      faults.push(message.text());
    }
  });
  page.on("request", (request) => {
    const token = /^Bearer (.+)$/.exec(request.headers().authorization ?? "")?.[1];
    if (token) tokens.push({ url: request.url(), token });
  });
  return {
    page,
    context,
    tokenSentTo: (url) => tokens.findLast((sent) => sent.url.startsWith(url))?.token,
    assertClean: () => assert.deepEqual(faults, []),
  };
}

/** Pictures of a page as it stands: light, dark, and on a phone. */
export async function takePictures(page: Page, folder: string, name: string): Promise<void> {
  const size = page.viewportSize()!;
  const take = (look: string) => page.screenshot({ path: `${folder}/${name}-${look}.png` });
  await take("light");
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await take("dark");
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 390, height: 844 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  await take("phone");
  await page.setViewportSize(size);
  assert.ok(width <= 390, `"${name}" is ${width} px wide on a phone of 390 px`);
}
