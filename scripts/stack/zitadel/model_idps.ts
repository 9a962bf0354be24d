// What the double remembers of providers, of who signed in by them, and of the organization's login policy.
import type { Dated } from "./model.ts";

export interface Idp extends Dated {
  organizationId: string;
  name: string;
  /** As in PROVIDER_TYPE_GOOGLE, without the front. */
  type: string;
  /** As in `ProviderConfig`: the member of its kind. */
  member: string;
  fields: Record<string, unknown>;
  options: Record<string, unknown>;
  /** In clear; a real ZITADEL encrypts it with its master key. */
  secret?: string;
  /** SAML: what ZITADEL signs requests with. */
  keys?: { certificate: string; privateKey: string };
}

/** Ids `<idp>/<external user>`: an external account is one user's in the whole instance. */
export interface IdpLink {
  id: string;
  idpId: string;
  externalUserId: string;
  externalUserName: string;
  userId: string;
}

/** Ids `<owner>/<idp>`. */
export interface LoginPolicyIdp {
  id: string;
  idpId: string;
}

/** Somebody as a provider describes them. */
export interface ExternalPerson {
  id: string;
  userName: string;
  human: {
    givenName: string;
    familyName: string;
    nickName?: string;
    displayName?: string;
    preferredLanguage?: string;
    email: string;
    emailVerified: boolean;
  };
  raw: Record<string, unknown>;
  /** As in IDPInformation: oauth, ldap or saml. */
  access?: Record<string, unknown>;
}

export interface Intent extends Dated {
  idpId: string;
  state: "started" | "succeeded" | "failed" | "consumed";
  successUrl: string;
  failureUrl: string;
  /** What the way back needs: PKCE's verifier, the id of a SAML request. */
  parameters: { codeVerifier?: string; requestId?: string };
  person?: ExternalPerson;
  userId?: string;
  tokenHash?: string;
  expiresAt?: string;
}
