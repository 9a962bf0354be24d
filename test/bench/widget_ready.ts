// How long until one can type: from navigation to the focus in the first field, on a processor slowed down four times.
import type { Browser } from "playwright-core";
import { launch } from "../e2e/support/browser.ts";
import { serveSignInPage } from "../e2e/support/sign_in_page.ts";
import { opened, states } from "../gallery/states.ts";
import { type Figure, median } from "./support.ts";

const visits = 11;
/** As Lighthouse slows down for a mid-range telephone. */
const slowdown = 4;

export async function widgetReady(): Promise<Figure[]> {
  await using browser = await launch();
  const figures: Figure[] = [];
  for (const language of ["en", "ru"]) {
    const times: number[] = [];
    for (let n = 0; n < visits; n++) times.push(await milliseconds(browser, language));
    figures.push({
      name: `sign-in page, navigation to ready-to-type, processor ÷ ${slowdown}, ${language}`,
      value: median(times),
      unit: "ms",
      note: `empty cache, function on loopback; median of ${visits}, slowest ${
        Math.max(...times).toFixed(0)
      }`,
    });
  }
  return figures;
}

async function milliseconds(browser: Browser, language: string): Promise<number> {
  await using server = serveSignInPage({ open: opened(states.start!), language });
  const context = await browser.newContext(); // a cache of its own
  try {
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
    // `performance.now()` counts from the start of the navigation.
    await page.addInitScript(() => {
      addEventListener("focusin", (event) => {
        const field = event.composedPath()[0];
        if (field instanceof HTMLInputElement) {
          Object.assign(globalThis, {
            readyAt: (globalThis as { readyAt?: number }).readyAt ?? performance.now(),
          });
        }
      });
    });
    await page.goto(server.url);
    const ready = await page.waitForFunction(() => (globalThis as { readyAt?: number }).readyAt);
    return await ready.jsonValue() as number;
  } finally {
    await context.close();
  }
}
