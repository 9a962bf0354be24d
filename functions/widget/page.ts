/**
 * Our own pages: each is one element, everything else is drawn by it. All addresses are relative, so they work below any path, and
 * whatever a page was called with (codes, tickets) is read and taken away by the script: the server writes none of it into a page.
 */
import { html } from "hono/html";
import { loadAsset } from "./assets.ts";

/** The languages that the widget has texts in. */
const languages = ["en", "ru", "de", "fr", "es", "da", "ar"];

/**
 * What the page is written in: the first of what the application asks for (`ui_locales`), then of what the browser does
 * (`accept-language`), that there are texts for.
 */
export function pageLanguage(uiLocales: string[], acceptLanguage = ""): string {
  const accepted = acceptLanguage.split(",").map((entry, n) => {
    const [tag = "", q] = entry.trim().split(/;\s*q=/);
    return { tag, q: q === undefined ? 1 : Number(q) || 0, n };
  }).sort((a, b) => b.q - a.q || a.n - b.n).map(({ tag }) => tag);
  const known = [...uiLocales, ...accepted].map((tag) => tag.toLowerCase().split("-")[0]!);
  return known.find((tag) => languages.includes(tag)) ?? "en";
}

/** For one auth request; with what a provider sent back, too (`/return`). */
export const loginPage = (authRequest: string, language = "en") =>
  page(login, html`<gatehouse-login flow="${authRequest}"></gatehouse-login>`, language);

/** `/link#kind=…&userId=…&code=…[&authRequest=…]`, from a mail or from an administrator. */
export const linkPage = (language = "en") =>
  page(login, html`<gatehouse-login mode="link"></gatehouse-login>`, language);

/** `/login?tenant=…`: signing in to the account page; `/return?tenant=…` too. */
export const accountSignInPage = (tenant: string, language = "en") =>
  page(
    login,
    html`<gatehouse-login mode="account" tenant="${tenant}"></gatehouse-login>`,
    language,
  );

/** `/logout?logout_token=…`, where ZITADEL sends who signed out at an application. */
export const logoutPage = (language = "en") =>
  page(login, html`<gatehouse-login mode="logout"></gatehouse-login>`, language);

/** `/me?tenant=…`: the account page. */
export const accountPage = (tenant: string, language = "en") =>
  page(account, html`<gatehouse-account tenant="${tenant}"></gatehouse-account>`, language);

// The empty form beside the element: a manager that watches the body looks again only where a form stands (docs/adr/0009).
const login = { file: "gatehouse.js", title: "Sign in", beside: html`<form hidden></form>` };
const account = { file: "account.js", title: "Account", beside: "" };

async function page(
  { file, title, beside }: typeof login | typeof account,
  element: ReturnType<typeof html>,
  language: string,
): Promise<string> {
  const [script, style, mark] = await Promise.all(
    [file, "page.css", "mark.svg"].map(async (asset) =>
      `${asset}?h=${(await loadAsset(asset)).hash}`
    ),
  );
  return String(
    await html`
      <!doctype html>
      <html lang="${language}" dir="${language === "ar" ? "rtl" : "ltr"}">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <meta name="robots" content="noindex">
          <title>${title}</title>
          <link rel="icon" href="${mark}" type="image/svg+xml">
          <link rel="stylesheet" href="${style}">
          <script src="${script}" defer></script>
        </head>
        <body>
          <noscript><p>Signing in needs JavaScript, which is switched off in this browser.</p></noscript>
          ${element} ${beside}
        </body>
      </html>
    `,
  );
}
