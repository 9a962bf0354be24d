/**
 * The demo storefront: a customer's application as small as it can be. The widget snippet signs people in, jose checks tokens;
 * nothing else of Gatehouse is used.
 *
 *   STOREFRONT_LISTEN=127.0.0.1:4000 STOREFRONT_ISSUER=… STOREFRONT_CLIENT_ID=… STOREFRONT_WIDGET_URL=… deno run -A widget/demo/server.ts
 *
 * Optional: STOREFRONT_ORG_ID, and STOREFRONT_CONFIG, a JSON file { issuer, clientId, organizationId, widgetUrl } that wins.
 */
import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import { readConfig } from "./config.ts";
import { shopPage } from "./page.ts";
import { discover, exchangeCode, TokenRefused, whoIs } from "./tokens.ts";

const accessCookie = "storefront_access";
const idCookie = "storefront_id";
/** Out of reach of scripts, and of other sites. */
const cookieOptions = { path: "/", httpOnly: true, sameSite: "Strict" } as const;

const SignIn = z.strictObject({
  code: z.string(),
  codeVerifier: z.string(),
  nonce: z.string(),
  redirectUri: z.url(),
});

export const app = new Hono();

app.get("/", async (c) => {
  const config = await readConfig();
  const widgetOrigin = new URL(config.widgetUrl).origin;
  // What a page needs for the widget: its one origin in script-src and connect-src. No unsafe-inline.
  c.header(
    "content-security-policy",
    `default-src 'none'; script-src 'self' ${widgetOrigin}; style-src 'self'; img-src 'self'; ` +
      `connect-src 'self' ${widgetOrigin}; ` +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  return c.html(await shopPage(config, new URL("/", c.req.url).href));
});

/** The widget's result from the page; the code is exchanged here, so that tokens stay out of the page. */
app.post("/api/sign-in", async (c) => {
  refuseOtherSites(c);
  const config = await readConfig();
  const tokens = await exchangeCode(config, SignIn.parse(await c.req.json()));
  const options = { ...cookieOptions, maxAge: tokens.expires_in };
  setCookie(c, accessCookie, tokens.access_token, options);
  setCookie(c, idCookie, tokens.id_token, cookieOptions);
  return c.json(await whoIs(config, tokens.access_token));
});

/** Who a bearer token belongs to; in the browser the cookie carries it. */
app.get("/api/me", async (c) => {
  const bearer = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  const token = bearer ?? getCookie(c, accessCookie);
  if (token === undefined) throw new TokenRefused("Nobody is signed in");
  return c.json(await whoIs(await readConfig(), token));
});

/** Where to go to end the session at the issuer too. */
app.post("/api/sign-out", async (c) => {
  refuseOtherSites(c);
  const url = new URL((await discover((await readConfig()).issuer)).end_session_endpoint);
  const idToken = getCookie(c, idCookie);
  if (idToken) url.searchParams.set("id_token_hint", idToken);
  url.searchParams.set("post_logout_redirect_uri", new URL("/", c.req.url).href);
  deleteCookie(c, accessCookie, cookieOptions);
  deleteCookie(c, idCookie, cookieOptions);
  return c.json({ url: url.href });
});

const files = {
  "shop.css": "text/css; charset=utf-8",
  "shop.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
};
for (const [name, type] of Object.entries(files)) {
  app.get(`/${name}`, async (c) => {
    const text = await Deno.readTextFile(new URL(`public/${name}`, import.meta.url));
    return c.body(text, 200, { "content-type": type });
  });
}

app.onError((error, c) => {
  if (error instanceof TokenRefused) return c.json({ error: error.message }, 401);
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    return c.json({ error: "The request is not as this address expects it" }, 400);
  }
  if (error instanceof OtherSite) return c.json({ error: error.message }, 403);
  console.error(error);
  return c.json({ error: "The shop cannot do this right now" }, 500);
});

class OtherSite extends Error {}

/** A form on another site could post a code of its own, and the visitor would shop as somebody else. */
function refuseOtherSites(c: Context): void {
  const origin = c.req.header("origin");
  if (origin !== undefined && origin !== new URL(c.req.url).origin) {
    throw new OtherSite(`Requests from "${origin}" are not taken`);
  }
}

if (import.meta.main) {
  const listen = new URL(`http://${Deno.env.get("STOREFRONT_LISTEN") ?? "127.0.0.1:0"}`);
  Deno.serve({ hostname: listen.hostname, port: Number(listen.port || 80) }, app.fetch);
}
