/** What the saga is told: the rows of one tenant, as private.provisioning_input gives them; for the instance also the configuration. */
import type { JWK } from "jose";
import { z } from "zod";
import type { Keyring } from "../_shared/secrets.ts";
import { derivedId } from "./ids.ts";

const ProviderRowSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  kind: z.enum(["ldap", "saml", "oidc", "google", "github", "microsoft"]),
  settings: z.record(z.string(), z.unknown()),
  options: z.object({
    linkingAllowed: z.boolean(),
    creationAllowed: z.boolean(),
    autoCreation: z.boolean(),
    autoUpdate: z.boolean(),
    autoLinking: z.enum(["none", "username", "email"]),
  }),
  enabled: z.boolean(),
  state: z.enum(["pending", "active", "error"]),
  idpId: z.string().nullable(),
  /** Another secret is another input of the step, though the secret itself is none. */
  credentialSetAt: z.string().nullable(),
  /** A host that an offline installation does not reach. */
  outside: z.string().nullable(),
});

export const RowsSchema = z.object({
  tenant: z.object({
    id: z.uuid(),
    slug: z.string(),
    name: z.string(),
    kind: z.enum(["platform", "customer"]),
    status: z.enum(["provisioning", "active", "suspended", "archived"]),
    organizationId: z.string().nullable(),
    projectId: z.string().nullable(),
    admin: z.object({
      email: z.string(),
      givenName: z.string().nullable(),
      familyName: z.string().nullable(),
    }).nullable(),
  }),
  steps: z.array(z.object({
    name: z.string(),
    state: z.enum(["pending", "ok", "skipped", "error"]),
    inputHash: z.string().nullable(),
  })),
  apps: z.array(z.object({
    id: z.uuid(),
    name: z.string(),
    kind: z.enum(["web", "spa", "native"]),
    redirectUris: z.array(z.string()),
    postLogoutUris: z.array(z.string()),
    enabled: z.boolean(),
    state: z.enum(["pending", "active", "error"]),
    clientId: z.string().nullable(),
    applicationId: z.string().nullable(),
  })),
  providers: z.array(ProviderRowSchema),
  removedProviders: z.array(z.object({
    id: z.uuid(),
    idpId: z.string().nullable(),
    name: z.string(),
  })),
});

export type ProviderRow = z.infer<typeof ProviderRowSchema>;
export type Rows = z.infer<typeof RowsSchema>;

export interface TenantState extends Rows {
  /** `iss` of ZITADEL's tokens. */
  issuer: string;
}

/** The administrator of the first start, from GATEHOUSE_BOOTSTRAP_FILE. */
export const AdministratorSchema = z.strictObject({
  /** The user's id in ZITADEL. */
  id: z.string().regex(/^[a-z0-9_-]{1,200}$/),
  userName: z.string().min(1).max(200),
  email: z.email(),
  givenName: z.string().min(1).max(200),
  familyName: z.string().min(1).max(200),
  password: z.string().min(1),
});
export const BootstrapSchema = z.object({ administrator: AdministratorSchema });
export type Administrator = z.infer<typeof AdministratorSchema>;

/** Our own addresses, as the world sees them. */
export interface InstanceFacts {
  /** `iss` of ZITADEL's tokens. */
  issuer: string;
  /** `iss` of our own. */
  ownIssuer: string;
  functionsUrl: string;
  /** Ends with a slash. */
  portalUrl: string;
  administrator: Administrator;
  /** ZITADEL's public keys, as it publishes them now. */
  readKeys: () => Promise<JWK[]>;
  /** What secrets of the instance are sealed with. */
  secretsKeys: () => Promise<Keyring>;
}

export type InstanceState = Rows & InstanceFacts;

/** ZITADEL takes our id for the organization: the tenant's. */
export function organizationId({ tenant }: Rows): string {
  return tenant.organizationId ?? tenant.id;
}

export function projectId({ tenant }: Rows): string {
  return tenant.projectId ?? derivedId("project", tenant.id);
}

export function isClosed({ tenant }: Rows): boolean {
  return tenant.status === "suspended" || tenant.status === "archived";
}
