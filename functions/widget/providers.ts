import type { IntentClient } from "../_shared/zitadel/types.ts";

/** Where a tenant's people may sign in besides. */
export interface SignInProvider {
  /** ZITADEL's id. */
  idpId: string;
  kind: "google" | "github" | "microsoft" | "oidc" | "saml" | "ldap";
  name: string;
  /** People whose name ends in one of these are sent there. */
  domains: string[];
  /** Proven by the tenant and given to this provider: its word on an address in them counts, vouched for or not. */
  trustedDomains: string[];
}

export interface SignInProviders {
  list(home: { tenantId: string; organizationId: string }): Promise<SignInProvider[]>;
}

/** As ZITADEL knows them: all that the organization's login policy names, without domains. */
export function zitadelProviders(intents: IntentClient): SignInProviders {
  return {
    async list({ organizationId }) {
      const active = await intents.activeProviders(organizationId);
      return active.flatMap(({ idpId, name, kind }) =>
        kind === "other" ? [] : [{ idpId, name, kind, domains: [], trustedDomains: [] }]
      );
    },
  };
}
