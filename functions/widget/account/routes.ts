/** The account page and its API. Next: visit.ts (whose it is), act.ts (what can be done). */
import type { Hono } from "hono";
import type { App } from "../../_shared/app.ts";
import { asProblem } from "../flow/failures.ts";
import { accountPage, pageLanguage } from "../page.ts";
import { pagePolicyOf } from "../page_policy.ts";
import type { WidgetParts } from "../parts.ts";
import { remembered } from "../remembered.ts";
import { actOnAccount } from "./act.ts";
import { dropMemory, readMemory } from "./memory.ts";
import { keepVisit, visit } from "./visit.ts";
import { viewOf } from "./view.ts";

const tenantName = /^[a-z0-9][a-z0-9-]{0,62}$/;

export function serveAccount(app: Hono<App>, parts: () => WidgetParts): void {
  /** `?tenant=` its slug or id: 200 the page, for whoever signed in last */
  app.get("/me", async (c) => {
    const tenant = c.req.query("tenant") ?? "";
    const memory = await readMemory(parts(), c);
    const accounts = await remembered(parts(), c);
    const newest = accounts.list()[0];
    // Another person has signed in since; within one person's visit what is under way stays.
    if (memory && accounts.find(memory.session)?.userId !== newest?.userId) dropMemory(parts(), c);
    c.header("content-security-policy", await pagePolicyOf(parts(), newest?.tenantId));
    const language = pageLanguage([], c.req.header("accept-language"));
    return c.html(await accountPage(tenantName.test(tenant) ? tenant : "", language));
  });

  /** 200 Account (account_contract.ts) · 401 account_signed_out · 403 browser_mismatch, tenant_suspended */
  app.get("/account", async (c) => {
    try {
      const asked = await visit(parts(), c);
      const account = await viewOf(asked);
      // Looking changes nothing: an act of another tab, answered meanwhile, is not taken back.
      if (asked.first) await keepVisit(c, asked);
      return c.json(account);
    } catch (error) {
      throw asProblem(error);
    }
  });

  /** 200 AccountAnswer (account_contract.ts) · refusals: docs/widget_account.md */
  app.post("/account/act", async (c) => c.json(await actOnAccount(parts(), c)));
}
