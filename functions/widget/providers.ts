import type { Sql } from "../_shared/db.ts";

/** Where a tenant's people may sign in besides: `private.sign_in_providers`. */
export interface SignInProvider {
  /** ZITADEL's id. */
  idpId: string;
  kind: "google" | "github" | "microsoft" | "oidc" | "saml" | "ldap";
  name: string;
  /**
   * Proven by the tenant and given to this provider. People whose name ends in one of these are sent there, and its word about an
   * address in them counts, vouched for or not.
   */
  trustedDomains: string[];
  /** Of SAML: origins that a browser posts a form to. */
  postsTo: string[];
}

export interface SignInProviders {
  /** Enabled ones, as ZITADEL confirmed them. */
  list(tenantId: string): Promise<SignInProvider[]>;
}

export function databaseProviders(sql: () => Sql): SignInProviders {
  return {
    async list(tenantId) {
      const [row] = await sql()<[{ providers: SignInProvider[] }]>`
        select private.sign_in_providers(${tenantId}) as providers`;
      return row.providers;
    },
  };
}
