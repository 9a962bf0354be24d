/** The login widget: its script, the sign-in page, and the JSON API that both talk to. Next: flow/open.ts, flow/act.ts. */
import type { Context, Hono } from "hono";
import { type App, newApp } from "../_shared/app.ts";
import { toProblem } from "../_shared/problem.ts";
import { serveAccount } from "./account/routes.ts";
import { assetNames, sendAsset } from "./assets.ts";
import { flowBinding } from "./binding.ts";
import { act } from "./flow/act.ts";
import { cors } from "./flow/cors.ts";
import { asProblem } from "./flow/failures.ts";
import { newMemory, open } from "./flow/open.ts";
import { whereOfRequest } from "./flow/where.ts";
import { loginPage, pagePolicy } from "./page.ts";
import { processParts, type WidgetParts } from "./parts.ts";
import { servePublished } from "./published.ts";
import { serveSnippets } from "./snippet.ts";

export function createApp(parts: () => WidgetParts): Hono<App> {
  const app = newApp("widget");

  servePublished(app);
  serveSnippets(app);
  for (const name of assetNames) app.get(`/${name}`, (c) => sendAsset(c, name));

  /** 200 the page, whose script opens the flow · 404 the page, saying that nothing is under way */
  app.get("/login", async (c) => {
    const id = c.req.query("authRequest") ?? "";
    return await sendPage(c, id, async () => {
      await whereOfRequest(parts(), id);
      const binding = flowBinding(parts());
      // A reload goes on: what this browser has of the flow stays.
      if (await binding.find(c, id)) return;
      await binding.keep(c, newMemory(parts(), { mode: "page", ref: id }));
    });
  });

  /** Where a provider sends people back to: the same page. Its script has the cookie, which this navigation from elsewhere has not. */
  app.get("/return", (c) => sendPage(c, c.req.query("flow") ?? "", () => Promise.resolve()));

  /** Where ZITADEL sends whoever signed out at an application. */
  app.get("/logout", (c) => sendPage(c, "logout", () => Promise.resolve()));

  app.use("/flows/*", cors(() => parts().clients));
  /** 200 Opened (contract.ts) · 403 browser_mismatch, origin_refused, app_disabled, tenant_suspended · 404 flow_not_found · 429 rate_limited */
  app.post("/flows/open", async (c) => c.json(await open(parts(), c)));
  /** 200 Answer (contract.ts) · refusals: docs/widget.md */
  app.post("/flows/act", async (c) => c.json(await act(parts(), c)));

  serveAccount(app, parts);

  return app;
}

export const app = createApp(processParts);

const flowName = /^[A-Za-z0-9_-]{1,210}$/;

/** The page asks for the flow again, and shows why not: so it comes even where there is none. */
async function sendPage(
  c: Context<App>,
  flow: string,
  prepare: () => Promise<void>,
): Promise<Response> {
  let known = flowName.test(flow);
  try {
    await prepare();
  } catch (error) {
    const { slug, status } = toProblem(asProblem(error));
    if (status >= 500) throw asProblem(error);
    known = slug !== "flow_not_found";
  }
  c.header("content-security-policy", pagePolicy);
  return c.html(await loginPage(known ? flow : "none"), known ? 200 : 404);
}
