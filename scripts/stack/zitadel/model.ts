// What the double remembers. Moments are RFC 3339 with microseconds; ids are text.
import type { Idp, IdpLink, Intent, LoginPolicyIdp } from "./model_idps.ts";
import type { Code, Human, SessionFactors, WebAuthnChallenge } from "./model_people.ts";

export interface Dated {
  id: string;
  createdAt: string;
  changedAt: string;
}

export interface Organization extends Dated {
  name: string;
  state: "active" | "inactive";
  primaryDomain: string;
  metadata: Record<string, string>;
}

export interface Project extends Dated {
  organizationId: string;
  name: string;
  state: "active" | "inactive";
  projectRoleAssertion: boolean;
  authorizationRequired: boolean;
  projectAccessRequired: boolean;
  privateLabelingSetting: string;
  roles: Record<
    string,
    { displayName: string; group: string; createdAt: string; changedAt: string }
  >;
  /** By organization: which roles it may hand on. */
  grants: Record<string, string[]>;
}

export interface OidcConfiguration {
  redirectUris: string[];
  responseTypes: string[];
  grantTypes: string[];
  applicationType: string;
  authMethodType: string;
  postLogoutRedirectUris: string[];
  developmentMode: boolean;
  accessTokenType: string;
  accessTokenRoleAssertion: boolean;
  idTokenRoleAssertion: boolean;
  idTokenUserinfoAssertion: boolean;
  clockSkew: string;
  additionalOrigins: string[];
  skipNativeAppSuccessPage: boolean;
  backChannelLogoutUri: string;
  loginVersion?: { loginV1?: object; loginV2?: { baseUri?: string } };
}

export interface Application extends Dated {
  projectId: string;
  organizationId: string;
  name: string;
  state: "active" | "inactive";
  clientId: string;
  /** In clear, because oidc-provider compares it so; a real ZITADEL keeps a hash. */
  clientSecret?: string;
  oidc: OidcConfiguration;
}

export interface User extends Dated {
  organizationId: string;
  userName: string;
  state: "active" | "inactive" | "locked";
  sequence: number;
  metadata: Record<string, string>;
  human?: Human;
  machine?: {
    name: string;
    description: string;
    accessTokenType: "ACCESS_TOKEN_TYPE_BEARER" | "ACCESS_TOKEN_TYPE_JWT";
    secretHash?: string;
    keys: Record<string, { publicKey: string; expiresAt: string }>;
  };
}

export interface AccessToken {
  /** The hash of the token. */
  id: string;
  tokenId: string;
  userId: string;
  expiresAt: string;
  /** Of a personal access token: shown in lists. */
  personal: boolean;
  createdAt: string;
  /** Of a token from the token endpoint: whether ZITADEL's own API is in its audience. */
  forApi: boolean;
  claims?: Record<string, unknown>;
}

export type Resource =
  | { kind: "instance" }
  | { kind: "organization"; id: string }
  | { kind: "project"; id: string };

export interface Administrator extends Dated {
  userId: string;
  resource: Resource;
  roles: string[];
}

export interface Authorization extends Dated {
  userId: string;
  projectId: string;
  organizationId: string;
  state: "active" | "inactive";
  roleKeys: string[];
}

export interface Session extends Dated {
  state: "active" | "terminated";
  sequence: number;
  creator: string;
  tokenHash: string;
  expiresAt?: string;
  metadata: Record<string, string>;
  userAgent?: { fingerprintId?: string; ip?: string; description?: string; header?: object };
  user?: { id: string; organizationId: string; verifiedAt: string };
  passwordVerifiedAt?: string;
  factors?: SessionFactors;
  /** Gone once it was answered. */
  webAuthnChallenge?: WebAuthnChallenge;
  otpEmailChallenge?: Code;
}

export interface AuthRequest extends Dated {
  state: "added" | "linked" | "failed";
  clientId: string;
  scope: string[];
  redirectUri: string;
  responseState?: string;
  nonce?: string;
  prompt: string[];
  uiLocales: string[];
  loginHint?: string;
  hintUserId?: string;
  maxAge?: number;
  codeChallenge?: string;
  loginClient: string;
}

/** One sign-in of one user at one application: what refresh tokens hang on. */
export interface OidcSession {
  id: string;
  userId: string;
  organizationId: string;
  /** Empty, as `authRequestId`, for machine users. */
  sessionId: string;
  authRequestId: string;
  clientId: string;
  scope: string[];
  /** Numbers: oidc/auth_methods.ts. */
  authMethods: number[];
  authTime: number;
  nonce?: string;
  createdAt: string;
  /** Of the whole chain of refresh tokens. */
  refreshUntil?: number;
  /** Told to the event store; false until the code was exchanged. */
  begun: boolean;
}

export interface WebKey extends Dated {
  state: "initial" | "active" | "inactive";
  bits: string;
  hasher: string;
  privateJwk: JsonWebKey & { kid: string };
}

export interface Target extends Dated {
  name: string;
  endpoint: string;
  timeoutSeconds: number;
  type: { restWebhook?: object; restCall?: object; restAsync?: object };
  signingKey: string;
  payloadType: string;
}

export interface Execution extends Dated {
  condition: Record<string, unknown>;
  targets: string[];
}

/** `instance` holds what is one of a kind; policies are kept per owner, the instance being one. */
export interface Instance {
  id: string;
  defaultOrganizationId: string;
  /** ZITADEL's own project: who has its id in a token's audience may call the API. */
  apiProjectId: string;
  loginV2: { required: boolean; baseUri?: string; set: boolean };
  oidcSettings: Record<string, string>;
  security: {
    embeddedIframe: { enabled: boolean; allowedOrigins: string[] };
    enableImpersonation: boolean;
  };
  trustedDomains: Record<string, string>;
  /** What operators changed of how codes are made. */
  secretGenerators?: Record<string, SecretGenerator>;
  createdAt: string;
}

export interface SecretGenerator {
  length: number;
  /** 0: never. */
  expirySeconds: number;
  includeLowerLetters: boolean;
  includeUpperLetters: boolean;
  includeDigits: boolean;
  includeSymbols: boolean;
}

export interface Policy {
  id: string;
  changedAt: string;
  createdAt: string;
  values: Record<string, unknown>;
}

export interface Kinds {
  idp: Idp;
  idp_link: IdpLink;
  intent: Intent;
  login_policy_idp: LoginPolicyIdp;
  instance: Instance;
  organization: Organization;
  project: Project;
  application: Application;
  user: User;
  token: AccessToken;
  administrator: Administrator;
  authorization: Authorization;
  session: Session;
  auth_request: AuthRequest;
  oidc_session: OidcSession;
  web_key: WebKey;
  target: Target;
  execution: Execution;
  /** Ids `<owner>/<kind>, kinds in services/policies.ts`. */
  policy: Policy;
  /** Ids `<type>/<value>`: what ZITADEL keeps unique. */
  unique: { id: string; holder: string };
}
export type Kind = keyof Kinds;
