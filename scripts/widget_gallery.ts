/**
 * Every screen of the widget in one HTML contact sheet: light, dark, ru, ar, 320 px wide, and a few themes.
 *
 *   deno task widget:gallery [--only NAME[,NAME…]] [--looks LOOK[,LOOK…]]
 *
 * Writes .stack/gallery/index.html and one PNG a picture; prints its path. Exit 0 done · 1 a picture failed.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { launch } from "../test/e2e/support/browser.ts";
import { pendings, serveAccountPage } from "../test/gallery/account.ts";
import { opened, states } from "../test/gallery/states.ts";
import { serveSignInPage, type SignInPage } from "../test/e2e/support/sign_in_page.ts";
import type { Look } from "../functions/widget/contract.ts";
import { buildBundles } from "./build/bundle.ts";

interface Setting {
  colorScheme?: "dark";
  language?: string;
  width?: number;
  look?: Look;
  /** Only of these. */
  of?: string[];
}

const themed = (layout: Look["layout"], accent: string): Look => ({
  layout,
  tokens: { accent, "on-accent": "light-dark(#ffffff, #1b1030)", radius: "4px" },
  texts: { en: { signIn: "Welcome to Acme" } },
});

const settings: Record<string, Setting> = {
  light: {},
  dark: { colorScheme: "dark" },
  ru: { language: "ru" },
  ar: { language: "ar" },
  narrow: { width: 320 },
  split: {
    look: themed("split", "light-dark(#5b21b6, #c4b5fd)"),
    width: 1200,
    of: ["start", "register"],
  },
  plain: { look: themed("plain", "light-dark(#9a3412, #fdba74)"), of: ["start", "setup_totp"] },
};

const options = Object.fromEntries(
  Deno.args.join(" ").split("--").filter(Boolean).map((part) => part.trim().split(" ")),
) as { only?: string; looks?: string };
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, ".stack/gallery");
await Deno.mkdir(folder, { recursive: true });
await buildBundles(root);

/** Left at once, or nothing but a wheel. */
const leaving = ["external", "done"];
const names = [
  ...Object.keys(states).filter((name) => !leaving.includes(name)),
  "stopped",
  "account",
  ...Object.keys(pendings),
].filter((name) => options.only?.split(",").includes(name) ?? true);
const looks = Object.entries(settings).filter(([look]) =>
  options.looks?.split(",").includes(look) ?? true
);

let failed = 0;
const rows: string[] = [];
const browser = await launch();
for (const [n, name] of names.entries()) {
  console.error(`[${n + 1}/${names.length}] ${name}`);
  const pictures: string[] = [];
  for (const [look, setting] of looks) {
    if (setting.of && !setting.of.includes(name)) continue;
    const file = `${name}-${look}.png`;
    try {
      await take(browser, name, setting, join(folder, file));
    } catch (error) {
      failed++;
      console.error(`${name}, ${look}: ${error}`);
    }
    pictures.push(
      `<figure><img src="${file}" alt="${name}, ${look}" loading="lazy"><figcaption>${look}</figcaption></figure>`,
    );
  }
  rows.push(`<section><h2>${name}</h2><div>${pictures.join("")}</div></section>`);
}
await browser.close();

const index = join(folder, "index.html");
await Deno.writeTextFile(
  index,
  `<!doctype html><meta charset="utf-8"><title>Gatehouse: every screen</title>
<style>
  body { margin: 2rem; font: 14px/1.4 system-ui, sans-serif; background: #888; color: #fff; }
  div { display: flex; gap: 1rem; align-items: start; overflow-x: auto; }
  figure { margin: 0; flex: none; } figcaption { text-align: center; }
  img { height: 30rem; border-radius: 6px; }
</style>
<h1>Every screen of the widget</h1>
${rows.join("\n")}
`,
);
console.log(index);
if (failed > 0) Deno.exit(1);

function isAccount(name: string): boolean {
  return /^account(\.|$)/.test(name);
}

async function take(browser: Browser, name: string, setting: Setting, path: string): Promise<void> {
  await using server = serve(name, setting);
  const context = await browser.newContext({
    viewport: { width: setting.width ?? (isAccount(name) ? 900 : 520), height: 720 },
    colorScheme: setting.colorScheme ?? "light",
    reducedMotion: "reduce",
  });
  try {
    const page = await context.newPage();
    await page.goto(isAccount(name) ? `${server.base}me?tenant=acme` : server.url);
    await page.locator("gatehouse-login .view, gatehouse-account .view").first().waitFor();
    if (name in pendings) {
      await page.locator("gatehouse-account section button").first().waitFor();
      await page.locator("gatehouse-account .foot button").first().click(); // any act: the step is what is shown
      await page.locator("gatehouse-account dialog[open]").waitFor();
    }
    await page.waitForLoadState("networkidle");
    await page.screenshot({ path, fullPage: !(name in pendings) });
  } finally {
    await context.close();
  }
}

function serve(name: string, { language, look = undefined }: Setting): SignInPage {
  if (isAccount(name)) {
    return serveAccountPage({ language, act: () => ({ pending: pendings[name] ?? null }) });
  }
  if (name === "stopped") return serveSignInPage({ open: "flow_not_found", language });
  return serveSignInPage({ open: opened(states[name]!, { look: look ?? null }), language });
}
