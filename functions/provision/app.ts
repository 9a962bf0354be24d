/** What needs ZITADEL and cannot be a row: asking for a reconcile at once, and secrets that are shown once. */
import { z } from "zod";
import { newApp } from "../_shared/app.ts";
import { authenticate } from "../_shared/auth.ts";
import { body, check } from "../_shared/body.ts";
import { asCaller } from "../_shared/db.ts";
import { providerRoutes } from "./providers/routes.ts";
import { issueLink } from "./links.ts";
import { rotateSecret } from "./secret.ts";

export const app = newApp("provision");
app.use("*", authenticate);
providerRoutes(app);

const OfPath = z.object({ id: z.uuid() });
const LinkRequest = z.strictObject({
  kind: z.enum(["reset", "invitation"]),
  by: z.enum(["link", "mail"]).default("link"),
});
const SecretRequest = z.strictObject({ tenantId: z.uuid() });

/** 202 `{ tenantId }`: its steps show how it goes · 403 `not_allowed` */
app.post("/tenants/:id/reconcile", async (c) => {
  const { id } = check(c.req.param(), OfPath);
  await asCaller(c.var.caller, async (sql) => {
    await sql`select public.reconcile_tenant(${id})`;
  }, { path: c.req.path });
  return c.json({ tenantId: id }, 202);
});

/** 200 `{ clientId, clientSecret }`, the secret shown this once · 403 `not_allowed` · 404 `app_not_found` · 409 `app_not_confidential`, `app_not_ready` · 503 `zitadel_unavailable` */
app.post("/apps/:id/secret", async (c) => {
  const { id } = check(c.req.param(), OfPath);
  const { tenantId } = await body(c, SecretRequest);
  return c.json(await rotateSecret(c.var.caller, tenantId, id, { path: c.req.path }));
});

/**
 * 200 `{ link, expiresAt }`, the link shown this once, or `{ expiresAt }` by mail · 403 `not_allowed`, `platform_user_refused` · 404 `user_not_found` ·
 * 409 `mail_not_available`, `user_has_credentials` · 503 `zitadel_unavailable`
 */
app.post("/users/:id/links", async (c) => {
  const { id } = check(c.req.param(), OfPath);
  const request = await body(c, LinkRequest);
  return c.json(await issueLink(c.var.caller, id, request, { path: c.req.path }));
});
