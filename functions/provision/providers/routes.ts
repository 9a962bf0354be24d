/**
 * What needs a provider's secret once, or the network: making one, changing one, testing a connection. Everything else about providers is
 * the table `providers` at PostgREST, removing included.
 * Next: sql/40_apps/35_provider_secrets.sql (where the secret waits for the saga), test_connection.ts.
 */
import type { Hono } from "hono";
import type { ISql } from "postgres";
import { z } from "zod";
import type { App } from "../../_shared/app.ts";
import { body, check } from "../../_shared/body.ts";
import { config } from "../../_shared/config.ts";
import { asCaller, type Transaction } from "../../_shared/db.ts";
import { door, OutboundError } from "../../_shared/outbound.ts";
import { Problem } from "../../_shared/problem.ts";
import { fromBase64, openText, seal, toBase64 } from "../../_shared/secrets.ts";
import { providerSecretPlace } from "../steps/provider.ts";
import { testConnection, type TestedProvider } from "./test_connection.ts";

const Secret = z.string().min(1).max(1000);
const Options = {
  linkingAllowed: z.boolean(),
  creationAllowed: z.boolean(),
  autoCreation: z.boolean(),
  autoUpdate: z.boolean(),
  autoLinking: z.enum(["none", "username", "email"]),
};
const Changes = z.strictObject({
  tenantId: z.uuid(),
  name: z.string().optional(),
  /** As `providers.settings` says for each kind; replaced as a whole. */
  settings: z.record(z.string(), z.json()).optional(),
  /** SAML: fetched once, now, through the door, into `settings.metadataXml`. */
  metadataUrl: z.string().max(2000).optional(),
  options: z.strictObject(Options).partial().optional(),
  /** Proven ones of the tenant. */
  domains: z.array(z.string()).optional(),
  enabled: z.boolean().optional(),
  /** The client secret, or the password of the bind DN. Sealed until ZITADEL has it, then kept by ZITADEL alone; shown to nobody. */
  secret: Secret.optional(),
});
const NewProvider = Changes.extend({
  name: z.string(),
  kind: z.enum(["google", "github", "microsoft", "oidc", "saml", "ldap"]),
});
const Test = z.strictObject({
  tenantId: z.uuid(),
  /** Of the bind DN, where ZITADEL has it already: it is used for this test and kept nowhere. */
  secret: Secret.optional(),
});
const maxMetadataBytes = 100_000;

export function providerRoutes(app: Hono<App>): void {
  /**
   * 201 `{ id, redirectUri }`, the address to register at the provider (SAML: the metadata of `GET {issuer}/idps/{idp_id}/saml/metadata`,
   * once the provider is active) · 403 `not_allowed` · 409 `provider_name_taken` · 422 `invalid_request`, `provider_settings_refused`,
   * `provider_domain_unproven`, `provider_host_outside`, `metadata_unreadable`
   */
  app.post("/providers", async (c) => {
    const { tenantId, kind, secret, ...wanted } = await body(c, NewProvider, large);
    const columns = await columnsOf(wanted);
    const id = await asCaller(c.var.caller, async (sql) => {
      const row = { tenant_id: tenantId, kind, ...columns };
      const [made] = await sql<{ id: string }[]>`
        insert into public.providers ${sql(typed(sql, row))} returning id`;
      if (secret !== undefined) await putSecret(sql, tenantId, made!.id, secret);
      return made!.id;
    }, { path: c.req.path });
    return c.json({ id, redirectUri: redirectUri() }, 201);
  });

  /** 200 `{ id, redirectUri }` · as POST /providers, and 404 `provider_not_found` */
  app.patch("/providers/:id", async (c) => {
    const { tenantId, secret, ...wanted } = await body(c, Changes, large);
    const { id } = check(c.req.param(), z.object({ id: z.uuid() }));
    const columns = await columnsOf(wanted);
    await asCaller(c.var.caller, async (sql) => {
      if (Object.keys(columns).length > 0) {
        const changed = await sql`
          update public.providers set ${sql(typed(sql, columns))}
           where tenant_id = ${tenantId} and id = ${id}`;
        if (changed.count === 0) throw notFound(tenantId, id);
      }
      if (secret !== undefined) await putSecret(sql, tenantId, id, secret);
    }, { path: c.req.path });
    return c.json({ id, redirectUri: redirectUri() });
  });

  /**
   * 200 `{ ok, checks: [{ name, ok, slug, detail }] }`: what the provider did is the answer, not an error of ours ·
   * 403 `not_allowed` · 404 `provider_not_found`
   */
  app.post("/providers/:id/test", async (c) => {
    const { tenantId, secret } = await body(c, Test);
    const { id } = check(c.req.param(), z.object({ id: z.uuid() }));
    const options = { path: c.req.path };
    const provider = await asCaller(c.var.caller, async (sql) => {
      const [row] = await sql<{ provider: OpenProvider }[]>`
        select private.open_provider(${tenantId}, ${id}) as provider`;
      return row!.provider;
    }, options);
    const { endpoints, ...report } = await testConnection(provider, {
      door: await door(),
      secret: secret ?? await waiting(provider, tenantId, id),
      now: Date.now(),
    });
    if (endpoints !== null) {
      await asCaller(c.var.caller, async (sql) => {
        await sql`select private.note_provider_endpoints(${tenantId}, ${id}, ${endpoints}::text[])`;
      }, options);
    }
    return c.json(report);
  });
}

const large = { maxBytes: 256 * 1024 }; // metadata and certificates

interface OpenProvider extends TestedProvider {
  secret: { keyId: string; ciphertext: string } | null;
}

/** What the saga has not handed over yet. */
async function waiting({ secret }: OpenProvider, tenantId: string, id: string) {
  if (secret === null) return null;
  const { keyId, ciphertext } = secret;
  return await openText(
    { keyId, ciphertext: fromBase64(ciphertext) },
    providerSecretPlace(tenantId, id),
  );
}

async function putSecret(sql: ISql, tenantId: string, id: string, secret: string): Promise<void> {
  const { keyId, ciphertext } = await seal(secret, providerSecretPlace(tenantId, id));
  await sql`select private.put_provider_secret(${tenantId}, ${id}, ${keyId},
    decode(${toBase64(ciphertext)}, 'base64'))`;
}

type Wanted = Omit<z.output<typeof Changes>, "tenantId" | "secret">;

async function columnsOf(wanted: Wanted): Promise<Record<string, unknown>> {
  const { metadataUrl, options = {}, ...rest } = wanted;
  const settings = metadataUrl === undefined
    ? rest.settings
    : { ...rest.settings, metadataXml: await fetchMetadata(metadataUrl) };
  const all = {
    name: rest.name,
    settings,
    domains: rest.domains,
    enabled: rest.enabled,
    linking_allowed: options.linkingAllowed,
    creation_allowed: options.creationAllowed,
    auto_creation: options.autoCreation,
    auto_update: options.autoUpdate,
    auto_linking: options.autoLinking,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function typed(sql: Transaction, columns: Record<string, unknown>): Record<string, unknown> {
  return "settings" in columns
    ? { ...columns, settings: sql.json(columns.settings as never) }
    : columns;
}

/** @throws {Problem} metadata_unreadable */
async function fetchMetadata(url: string): Promise<string> {
  const refuse = (detail: string, cause?: unknown) =>
    new Problem("metadata_unreadable", detail, {
      cause,
      pointers: [{ pointer: "#/metadataUrl", detail }],
    });
  try {
    const answer = await (await door()).send({
      url,
      method: "GET",
      timeoutMs: 10_000,
      maxBytes: maxMetadataBytes,
    });
    if (answer.status !== 200) throw refuse(`"${url}" answered ${answer.status}`);
    if (answer.truncated) throw refuse(`"${url}" answered more than ${maxMetadataBytes} bytes`);
    return new TextDecoder().decode(answer.body);
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    throw refuse(`${error.errorClass}: ${error.message}`, error);
  }
}

/** ZITADEL's, for every provider but SAML ones. */
const redirectUri = () => `${config().zitadelIssuer}/idps/callback`;

const notFound = (tenantId: string, id: string) =>
  new Problem("provider_not_found", `There is no provider ${id} in tenant ${tenantId}`);
