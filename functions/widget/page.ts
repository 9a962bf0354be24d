import { html } from "hono/html";
import { loadAsset } from "./assets.ts";

/** Nothing but our own files, no frame, and no string ever becomes script. */
export const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
  "img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types 'none'";

/** `/link`: what it is about stands in the address, which only the page's script reads. */
export const linkPage = () => page({ name: "mode", value: "link" });

/** The sign-in page. All addresses are relative: it works below any path. */
export const loginPage = (authRequest: string) => page({ name: "flow", value: authRequest });

async function page(attribute: { name: "flow" | "mode"; value: string }): Promise<string> {
  const [script, style, mark] = await Promise.all(
    ["gatehouse.js", "page.css", "mark.svg"].map(async (name) =>
      `${name}?h=${(await loadAsset(name)).hash}`
    ),
  );
  return String(
    await html`
      <!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <meta name="robots" content="noindex">
          <title>Sign in</title>
          <link rel="icon" href="${mark}" type="image/svg+xml">
          <link rel="stylesheet" href="${style}">
          <script src="${script}" defer></script>
        </head>
        <body>
          <main>
            <img class="mark" src="${mark}" alt="" width="32" height="32">
            <noscript><p>Signing in needs JavaScript, which is switched off in this browser.</p></noscript>
            <gatehouse-login ${attribute.name}="${attribute.value}"></gatehouse-login>
          </main>
          <footer>Secured by Gatehouse</footer>
        </body>
      </html>
    `,
  );
}
