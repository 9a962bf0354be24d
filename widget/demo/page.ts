import { html } from "hono/html";
import type { StorefrontConfig } from "./config.ts";

const goods = [
  {
    name: "Field kettle",
    text: "Two litres, enamelled steel",
    price: "€ 42.00",
    drawing: "kettle",
  },
  { name: "Oak ladder", text: "Four rungs, oiled by hand", price: "€ 168.00", drawing: "ladder" },
  { name: "Storm lamp", text: "Burns nineteen hours", price: "€ 56.50", drawing: "lamp" },
  { name: "Canvas bag", text: "Waxed, with brass rings", price: "€ 74.00", drawing: "bag" },
];

const drawings: Record<string, string> = {
  kettle: "M30 82c-6-30 4-44 30-44s36 14 30 44ZM44 38c0-18 32-18 32 0M88 60l18-12M60 38v-8",
  ladder: "M44 14 34 106M76 14l10 92M43 30h34M41 48h38M39 66h42M37 84h46",
  lamp:
    "M46 96h28l4 9H42ZM48 96c-11-17-11-29 0-40h24c11 11 11 23 0 40ZM50 56l4-12h12l4 12M54 44c-22-26 34-26 12 0M60 68c-7 9-5 17 0 17s7-8 0-17Z",
  bag: "M34 46h52l8 54H26ZM46 46c0-30 28-30 28 0M46 58v6M74 58v6",
};

/** The shop as the server sends it: nobody is signed in. `public/shop.js` fills in who is. */
export async function shopPage(config: StorefrontConfig, redirectUri: string): Promise<string> {
  const login = config.clientId === "" ? html`<span class="soon">Opening soon</span>` : html`
    <gatehouse-login id="login" issuer="${config.issuer}" client-id="${config.clientId}"
      redirect-uri="${redirectUri}" organization="${config.organizationId ?? ""}"></gatehouse-login>
  `;
  return String(
    await html`
      <!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>Hearth &amp; Harbour</title>
          <link rel="icon" href="icon.svg" type="image/svg+xml">
          <link rel="stylesheet" href="shop.css">
          <script src="${config.widgetUrl}" defer></script>
          <script src="shop.js" type="module"></script>
        </head>
        <body>
          <header>
            <a class="brand" href="./">Hearth <span>&amp;</span> Harbour</a>
            <div class="account">
                ${login}
                <div id="person" hidden>
                  <span class="initials" aria-hidden="true"></span>
                  <span class="who"></span>
                  <button type="button" id="sign-out">Sign out</button>
                </div>
              </div>
          </header>
          <main>
            <section class="hero">
              <h1>Things that last a working life</h1>
              <p id="greeting">Sign in with your company account to see your trade prices.</p>
              <p id="fault" role="alert" hidden></p>
            </section>
            <ul class="goods">
                ${goods.map(({ name, text, price, drawing }) =>
                  html`
                    <li>
                      <svg viewBox="0 0 120 120" aria-hidden="true">
                        <path d="${drawings[drawing]!}" />
                      </svg>
                      <h2>${name}</h2>
                      <p>${text}</p>
                      <p class="price" data-price="${price}">Price after signing in</p>
                    </li>
                  `
                )}
              </ul>
          </main>
          <footer>A demo storefront. It uses one script tag, one element and a token check.</footer>
        </body>
      </html>
    `,
  );
}
