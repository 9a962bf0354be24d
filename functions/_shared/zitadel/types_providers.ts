// A tenant's sign-in providers as they are made: inputs and answers of providers.ts.
import type { Ensured, LinkingOptions } from "./types.ts";

export interface GoogleSettings {
  clientId: string;
  scopes: string[];
}

export interface GithubSettings {
  clientId: string;
  scopes: string[];
  /** Of a GitHub Enterprise Server, such as `https://github.corp.example`. Absent: github.com. */
  baseUrl?: string | undefined;
}

export interface MicrosoftSettings {
  clientId: string;
  scopes: string[];
  /** `common`, `organizations`, `consumers`, or one directory's id. */
  tenant: string;
  /** Microsoft vouches for no address: only of one directory whose administrators are trusted may this be set. */
  emailVerified: boolean;
}

export interface OidcSettings {
  issuer: string;
  clientId: string;
  scopes: string[];
  /** Read the person from the ID token, not from userinfo. */
  idTokenMapping: boolean;
  pkce: boolean;
}

export interface SamlSettings {
  /** Given whole, so that ZITADEL fetches nothing. */
  metadataXml: string;
  binding: "post" | "redirect";
  signedRequests: boolean;
  nameIdFormat: "unspecified" | "email" | "persistent" | "transient";
}

export interface LdapSettings {
  /** `ldaps://host:636`; with `ldap://` passwords cross the network in clear unless `startTls`. Tried in order. */
  servers: string[];
  startTls: boolean;
  baseDn: string;
  bindDn: string;
  userBase: string;
  userObjectClasses: string[];
  /** Attributes that are compared with what the person types. */
  userFilters: string[];
  timeoutSeconds: number;
  attributes: LdapAttributes;
  /** PEM of the authority behind `ldaps:`; ZITADEL does not use it for StartTLS. */
  ca?: string | undefined;
}

export interface LdapAttributes {
  id: string;
  userName: string;
  givenName: string;
  familyName: string;
  displayName: string;
  email: string;
  /** Of an attribute that says `true` or `false`; empty: no address is vouched for. */
  emailVerified?: string | undefined;
  preferredLanguage?: string | undefined;
}

export type ProviderSettings =
  | { kind: "google"; settings: GoogleSettings }
  | { kind: "github"; settings: GithubSettings }
  | { kind: "microsoft"; settings: MicrosoftSettings }
  | { kind: "oidc"; settings: OidcSettings }
  | { kind: "saml"; settings: SamlSettings }
  | { kind: "ldap"; settings: LdapSettings };

export type ProviderKind = ProviderSettings["kind"];

export type ProviderInput = ProviderSettings & {
  orgId: string;
  /** As ZITADEL called it when it was made. Unknown: it is looked for by its name. */
  idpId?: string | undefined;
  /** Unique in the organization by our own rule; ZITADEL has none. */
  name: string;
  options: LinkingOptions;
  /** The client secret, or the password of the bind DN. Absent: ZITADEL keeps the one it has. */
  secret?: string | undefined;
  /** It may have been made a moment ago: look as long as a projection may lag before another is made. */
  mayExist?: boolean | undefined;
};

export interface ProviderCalls {
  /** @throws {ZitadelError} `secret_missing`: ZITADEL does not have it, and it takes a secret; `already_exists`: its name is another kind's */
  ensureProvider(input: ProviderInput): Promise<Ensured>;
  /** Into the login policy of the organization, which gets one of its own, as the instance's is now, where it has none. */
  ensureProviderActive(orgId: string, idpId: string): Promise<Ensured>;
  /**
   * Out of the login policy. ZITADEL then drops the links of everybody who signed in by it
   * ([S] internal/api/grpc/management/policy_login.go): not for a switch that is turned back.
   */
  deactivateProvider(orgId: string, idpId: string): Promise<void>;
  listProviders(orgId: string): Promise<{ id: string; name: string }[]>;
  /** With the links of everybody who signed in by it. One that is not there: nothing happens. */
  removeProvider(orgId: string, idpId: string): Promise<void>;
}
