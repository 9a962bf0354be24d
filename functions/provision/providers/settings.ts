/**
 * A provider's settings, by kind, with what is left out filled in. What may stand there at all is decided in SQL
 * (sql/40_apps/25_provider_settings.sql), since rows also come by PostgREST.
 */
import { z } from "zod";
import type { ProviderSettings } from "../../_shared/zitadel/types.ts";

const scopes = (...wanted: string[]) => z.array(z.string()).default(wanted);
const openid = scopes("openid", "profile", "email");

const Complete = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("google"),
    settings: z.object({ clientId: z.string(), scopes: openid }),
  }),
  z.object({
    kind: z.literal("github"),
    settings: z.object({
      clientId: z.string(),
      scopes: scopes(),
      baseUrl: z.string().optional(),
    }),
  }),
  z.object({
    kind: z.literal("microsoft"),
    settings: z.object({
      clientId: z.string(),
      scopes: scopes("openid", "profile", "email", "User.Read"),
      tenant: z.string(),
      emailVerified: z.boolean().default(false),
    }),
  }),
  z.object({
    kind: z.literal("oidc"),
    settings: z.object({
      issuer: z.string(),
      clientId: z.string(),
      scopes: openid,
      idTokenMapping: z.boolean().default(false),
      pkce: z.boolean().default(true),
    }),
  }),
  z.object({
    kind: z.literal("saml"),
    settings: z.object({
      metadataXml: z.string(),
      binding: z.enum(["post", "redirect"]).default("post"),
      signedRequests: z.boolean().default(true),
      nameIdFormat: z.enum(["unspecified", "email", "persistent", "transient"])
        .default("persistent"),
    }),
  }),
  z.object({
    kind: z.literal("ldap"),
    settings: z.object({
      servers: z.array(z.string()),
      startTls: z.boolean().default(false),
      baseDn: z.string(),
      bindDn: z.string(),
      /** The attribute of an entry that names it. */
      userBase: z.string().default("dn"),
      userObjectClasses: z.array(z.string()),
      userFilters: z.array(z.string()),
      timeoutSeconds: z.int().default(10),
      attributes: z.object({
        id: z.string(),
        userName: z.string(),
        givenName: z.string().default("givenName"),
        familyName: z.string().default("sn"),
        displayName: z.string().default("displayName"),
        email: z.string().default("mail"),
        emailVerified: z.string().optional(),
        preferredLanguage: z.string().optional(),
      }),
      ca: z.string().optional(),
    }),
  }),
]);

/** @throws {z.ZodError} for a draft: something needed is missing */
export function completeSettings(row: {
  kind: string;
  settings: Record<string, unknown>;
}): ProviderSettings {
  return Complete.parse(row);
}
