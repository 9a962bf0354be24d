/** What somebody pastes into an application's page: the script with its integrity value, and the element. */
import type { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import type { App } from "../_shared/app.ts";
import { authenticate } from "../_shared/auth.ts";
import { check } from "../_shared/body.ts";
import { config } from "../_shared/config.ts";
import { asCaller, database, type Sql } from "../_shared/db.ts";
import { Problem } from "../_shared/problem.ts";
import { toBase64 } from "../_shared/secrets.ts";
import { loadAsset } from "./assets.ts";
import { databaseLooks, type Looks } from "./look.ts";

export interface SnippetParts {
  sql: () => Sql;
  looks: Looks;
  publicUrl: string;
  issuer: string;
}

const SnippetRequest = z.strictObject({ tenantId: z.uuid(), appId: z.uuid() });

interface SnippetApp {
  client_id: string | null;
  redirect_uris: string[];
  organization_id: string | null;
}

function processParts(): SnippetParts {
  const { publicUrl, zitadelIssuer } = config();
  return {
    sql: database,
    looks: databaseLooks(database, publicUrl),
    publicUrl,
    issuer: zitadelIssuer,
  };
}

export function serveSnippets(app: Hono<App>, parts: () => SnippetParts = processParts): void {
  /**
   * `?tenantId=&appId=`: 200 `{ html, script: { src, integrity }, config }`, `config` the hash of what is published for the
   * application or null · 404 app_not_found · 409 app_not_ready · 422 invalid_request
   */
  app.get("/snippet", authenticate, async (c) => {
    const { tenantId, appId } = check(c.req.query(), SnippetRequest);
    const [found] = await asCaller(c.var.caller, (sql) =>
      sql<SnippetApp[]>`
        select a.client_id, a.redirect_uris, t.organization_id
          from public.apps a join public.tenants t on t.id = a.tenant_id
         where a.tenant_id = ${tenantId} and a.id = ${appId}`, { path: c.req.path });
    if (found === undefined) {
      throw new Problem("app_not_found", `There is no application ${appId} in ${tenantId}`);
    }
    if (found.client_id === null) {
      throw new Problem("app_not_ready", "The application has no client id yet: it is being made");
    }
    const { sql, looks, publicUrl, issuer } = parts();
    const published = await looks.find(tenantId, appId);
    const script = await pinScript(sql(), publicUrl);
    const markup = await snippet({
      script,
      issuer,
      clientId: found.client_id,
      redirectUri: found.redirect_uris.find((uri) => uri.startsWith("http")),
      organization: found.organization_id ?? undefined,
      config: published?.hash,
    });
    const answer: z.output<typeof Snippet> = {
      html: markup,
      script,
      config: published?.hash ?? null,
    };
    return c.json(answer);
  });
}

export const Snippet = z.object({
  html: z.string(),
  script: z.object({
    src: z.string(),
    /** Subresource Integrity: a browser runs these bytes or none. */
    integrity: z.string(),
  }),
  /** The hash of what is published for the application. */
  config: z.string().nullable(),
});
type PinnedScript = z.output<typeof Snippet>["script"];

/** From now on these bytes are served at this address, whatever is built later. */
async function pinScript(sql: Sql, publicUrl: string): Promise<PinnedScript> {
  const { bytes, hash } = await loadAsset("gatehouse.js");
  await sql`select private.keep_widget_script(${hash}, ${bytes})`;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));
  return {
    src: `${publicUrl}/functions/v1/widget/gatehouse.js?h=${hash}`,
    integrity: `sha384-${toBase64(digest)}`,
  };
}

interface Contents {
  script: PinnedScript;
  issuer: string;
  clientId: string;
  redirectUri: string | undefined;
  organization: string | undefined;
  config: string | undefined;
}

/** Values are escaped by `html`. */
async function snippet(
  { script, issuer, clientId, redirectUri, organization, config }: Contents,
): Promise<string> {
  const attributes = Object.entries({
    issuer,
    "client-id": clientId,
    "redirect-uri": redirectUri,
    organization,
    config,
  }).flatMap(([name, value]) => value === undefined ? [] : [html`\n  ${name}="${value}"`]);
  return String(
    await html`
      <script src="${script.src}" integrity="${script.integrity}" crossorigin defer></script>
      <gatehouse-login${attributes}
      >
        </gatehouse-login>
    `,
  );
}
