/** The login widget: its script, the sign-in page, and the JSON API that both talk to. Next: flow/open.ts, flow/act.ts. */
import type { Context, Hono } from "hono";
import { type App, newApp } from "../_shared/app.ts";
import { toProblem } from "../_shared/problem.ts";
import { serveAccount } from "./account/routes.ts";
import { serveApi } from "./api/routes.ts";
import { assetNames, sendAsset } from "./assets.ts";
import { flowBinding } from "./binding.ts";
import { act } from "./flow/act.ts";
import { cors } from "./flow/cors.ts";
import { asProblem } from "./flow/failures.ts";
import { newMemory, open, tenantOfAccountFlow } from "./flow/open.ts";
import { whereOfRequest } from "./flow/where.ts";
import { accountSignInPage, linkPage, loginPage, logoutPage, pageLanguage } from "./page.ts";
import { pagePolicy, pagePolicyOf } from "./page_policy.ts";
import { processParts, type WidgetParts } from "./parts.ts";
import { servePublished } from "./published.ts";
import { serveSnippets } from "./snippet.ts";

export function createApp(parts: () => WidgetParts): Hono<App> {
  const app = newApp("widget");

  servePublished(app);
  serveSnippets(app);
  for (const name of assetNames) app.get(`/${name}`, (c) => sendAsset(c, name));

  /** `?authRequest=` or, for the account page, `?tenant=`. 200 the page, whose script opens the flow · 404 it, saying that nothing is under way */
  app.get("/login", async (c) => {
    const { authRequest, tenant } = c.req.query();
    if (authRequest === undefined && tenant !== undefined) {
      const id = (await parts().clients.findTenant(nameOr("", tenant)))?.tenantId;
      const page = accountSignInPage(nameOr("", tenant), languageOf(c));
      return await send(c, page, 200, await pagePolicyOf(parts(), id));
    }
    const { known, locales, tenantId } = await begin(parts(), c, authRequest ?? "");
    const page = loginPage(known ? authRequest! : "none", languageOf(c, locales));
    return await send(c, page, known ? 200 : 404, await pagePolicyOf(parts(), tenantId));
  });

  /** Where a provider sends people back to: the same pages. Their script has the cookie, which this navigation from elsewhere has not. */
  app.get("/return", async (c) => {
    const flow = nameOr("none", c.req.query("flow"));
    const tenant = tenantOfAccountFlow(flow);
    const language = languageOf(c);
    const page = tenant ? accountSignInPage(tenant, language) : loginPage(flow, language);
    const whose = tenant ?? await tenantOf(parts(), flow);
    return await send(c, page, 200, await pagePolicyOf(parts(), whose));
  });

  /** Where ZITADEL sends whoever signed out at an application. */
  app.get("/logout", (c) => send(c, logoutPage(languageOf(c))));

  /** From a mail, or handed over by an administrator: `#kind=…&userId=…&code=…`, which no server sees. */
  app.get("/link", (c) => send(c, linkPage(languageOf(c))));

  app.use("/flows/*", cors(() => parts().clients));
  /** 200 Opened (contract.ts) · 403 browser_mismatch, origin_refused, app_disabled, tenant_suspended · 404 flow_not_found · 429 rate_limited */
  app.post("/flows/open", async (c) => c.json(await open(parts(), c)));
  /** 200 Answer (contract.ts) · refusals: docs/widget.md */
  app.post("/flows/act", async (c) => c.json(await act(parts(), c)));

  serveAccount(app, parts);
  serveApi(app, parts);

  return app;
}

export const app = createApp(processParts);

/** Binds the flow to this browser. The page asks for it again, and shows why not: so it comes even where there is none. */
async function begin(
  parts: WidgetParts,
  c: Context<App>,
  id: string,
): Promise<{ known: boolean; locales: string[]; tenantId?: string }> {
  try {
    const { request, client } = await whereOfRequest(parts, id);
    await flowBinding(parts).arrive(c, newMemory(parts, { mode: "page", ref: id }));
    return { known: true, locales: request.uiLocales, tenantId: client.tenantId };
  } catch (error) {
    const { slug, status } = toProblem(asProblem(error));
    if (status >= 500) throw asProblem(error);
    return { known: slug !== "flow_not_found" && nameOr("", id) !== "", locales: [] };
  }
}

/** A page whose flow is unknown comes too, and says so. */
async function tenantOf(parts: WidgetParts, authRequest: string): Promise<string | undefined> {
  return await whereOfRequest(parts, authRequest).then(
    ({ client }) => client.tenantId,
    () => undefined,
  );
}

/** What stands in an address is put into a page only where it looks like a name of ours. */
const nameOr = (other: string, name = "") => /^[A-Za-z0-9_-]{1,210}$/.test(name) ? name : other;

const languageOf = (c: Context<App>, locales: string[] = []) =>
  pageLanguage(locales, c.req.header("accept-language"));

async function send(
  c: Context<App>,
  page: Promise<string>,
  status: 200 | 404 = 200,
  policy = pagePolicy,
): Promise<Response> {
  c.header("content-security-policy", policy);
  return c.html(await page, status);
}
