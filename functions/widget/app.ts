/** The login widget: its script, the sign-in page, and the JSON API that both talk to. */
import type { Hono } from "hono";
import { z } from "zod";
import { type App, newApp } from "../_shared/app.ts";
import { body } from "../_shared/body.ts";
import { Problem, toProblem } from "../_shared/problem.ts";
import { ZitadelError } from "../_shared/zitadel/errors.ts";
import { assetNames, sendAsset } from "./assets.ts";
import { browserBinding } from "./binding.ts";
import { authRequestId, loadFlow } from "./flow.ts";
import { loginPage, pagePolicy } from "./page.ts";
import { processParts, type WidgetParts } from "./parts.ts";
import { signInByPassword } from "./password.ts";
import { servePublished } from "./published.ts";
import { serveSnippets } from "./snippet.ts";

const PasswordRequest = z.strictObject({
  authRequest: z.string().regex(authRequestId),
  loginName: z.string().trim().min(1).max(200),
  password: z.string().min(1).max(1000),
});

export function createApp(parts: () => WidgetParts): Hono<App> {
  const app = newApp("widget");
  const binding = () => browserBinding(parts());

  servePublished(app);
  serveSnippets(app);
  for (const name of assetNames) app.get(`/${name}`, (c) => sendAsset(c, name));

  /** 200 the page · 302 when nobody may be asked (`prompt=none`) · 404 the page, saying that nothing is under way */
  app.get("/login", async (c) => {
    const id = c.req.query("authRequest") ?? "";
    let known = true;
    try {
      const { request } = await loadFlow(parts(), id);
      if (request.prompts.includes("none")) {
        const refusal = { error: "login_required" } as const;
        return c.redirect((await parts().zitadel.createCallback(id, refusal)).callbackUrl);
      }
      await binding().bind(c, id);
    } catch (error) {
      const { slug, status } = toProblem(asProblem(error));
      if (status >= 500) throw asProblem(error);
      known = slug !== "flow_not_found"; // the page asks for the flow again, and shows why not
    }
    c.header("content-security-policy", pagePolicy);
    return c.html(await loginPage(known ? id : "none"), known ? 200 : 404);
  });

  /** 200 `{ appName, tenantName, loginHint?, allowed }` · 403 app_disabled, tenant_suspended, browser_mismatch · 404 flow_not_found */
  app.get("/flows/:authRequest", async (c) => {
    const id = c.req.param("authRequest");
    const { request, client } = await loadFlow(parts(), id).catch((error) => {
      throw asProblem(error);
    });
    await binding().require(c, id);
    return c.json({
      appName: client.appName,
      tenantName: client.kind === "app" ? client.tenantName : "",
      loginHint: request.loginHint,
      allowed: { password: true },
    });
  });

  /**
   * 200 `{ callbackUrl }` · 401 credentials_refused · 403 browser_mismatch, password_not_allowed, factor_required,
   * password_change_required, email_not_verified, app_disabled, tenant_suspended · 404 flow_not_found · 409 flow_finished
   */
  app.post("/flows/password", async (c) => {
    const startedAt = performance.now();
    const input = await body(c, PasswordRequest);
    const { browser } = await binding().require(c, input.authRequest);
    try {
      const answer = await signInByPassword(parts(), {
        ...input,
        userAgent: {
          fingerprintId: browser,
          ip: c.var.request.address,
          description: c.req.header("user-agent")?.slice(0, 200),
        },
      });
      await binding().release(c, input.authRequest);
      return c.json(answer);
    } catch (error) {
      await until(startedAt + parts().refusalFloorMs);
      throw asProblem(error);
    }
  });

  return app;
}

export const app = createApp(processParts);

/** What ZITADEL could not do is ours to mend; its words are not for the person who signs in. */
function asProblem(error: unknown): unknown {
  if (!(error instanceof ZitadelError)) return error;
  return error.retryable
    ? new Problem("zitadel_unavailable", "ZITADEL does not answer", { cause: error })
    : new Problem("internal", error.message, { cause: error });
}

/** `at` is of performance.now(). */
async function until(at: number): Promise<void> {
  const left = at - performance.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
}
