/**
 * What the rest of Gatehouse says to ZITADEL, in our words. Nothing outside this folder knows ZITADEL's API.
 * Next: call.ts (the wire), provisioner.ts, login_client.ts, event_reader.ts (who may call what).
 */

/** Where ZITADEL is. Outside the embedded profile an `http:` or loopback issuer is refused. */
export interface ZitadelAddress {
  profile: "embedded" | "standard";
  /** Exactly the `iss` of its tokens: no trailing slash. */
  issuer: string;
  /** Where the API answers when that is not the issuer; then `x-zitadel-instance-host` names the instance. */
  url?: string;
}

export interface ZitadelConfig extends ZitadelAddress {
  /** A file with one personal access token; read again whenever it changes. */
  tokenFile: string;
  /** Per attempt. Default 10 000. */
  timeoutMs?: number;
  guard?: WriteGuard;
}

/** Awaited around each call that writes, `method` as in AddOrganization. What they throw passes on as it is. */
export interface WriteGuard {
  /** A throw keeps the call from being made. */
  beforeWrite(method: string): void | Promise<void>;
  /** ZITADEL has done it. */
  afterWrite(method: string): void | Promise<void>;
}

export interface LoginClientConfig extends ZitadelConfig {
  /** Users of this organization get no credential set by the login client. Unknown: nobody's is set. */
  platformOrganizationId: () => Promise<string | null>;
}

/** The `changed` of an `ensure…` is false when ZITADEL already was as asked and nothing was written. */
export interface Ensured {
  id: string;
  changed: boolean;
}

export interface OrganizationInput {
  /** Ours; ZITADEL keeps it. 1–200 characters, opaque and lowercase. */
  id: string;
  /** Unique in the instance: a clash throws `already_exists`, id V3-DKcYh. */
  name: string;
  metadata?: Record<string, string>;
}

export interface Organization {
  id: string;
  name: string;
  state: "active" | "inactive";
  /** The suffix of login names where the domain policy asks for it. */
  primaryDomain: string;
}

export interface ProjectInput {
  orgId: string;
  id: string;
  name: string;
  projectRoleAssertion?: boolean;
  /** Only users of organizations that own the project or hold a grant of it get a code. */
  projectAccessRequired?: boolean;
  /** Only users with an authorization get a code. */
  authorizationRequired?: boolean;
}

export interface RoleInput {
  key: string;
  displayName: string;
}

export interface OidcApplicationInput {
  projectId: string;
  id: string;
  name: string;
  /** `web` keeps a secret (Basic), `spa` and `native` are public clients; PKCE for all. */
  kind: "web" | "spa" | "native";
  redirectUris: string[];
  postLogoutUris: string[];
  /** Allows `http:` redirect URIs and globs. */
  developmentMode: boolean;
  enabled: boolean;
}

export interface EnsuredApplication extends Ensured {
  clientId: string;
  /** Only from the call that created a `web` application; ask for another with generateClientSecret. */
  clientSecret?: string;
  problems: string[];
}

export interface HumanInput {
  orgId: string;
  id: string;
  userName: string;
  email: string;
  emailVerified: boolean;
  givenName: string;
  familyName: string;
  password?: string;
}

export interface MachineInput {
  orgId: string;
  /** Unknown for the users that ZITADEL itself made at its first start: found by `userName`. */
  id?: string;
  userName: string;
  name: string;
}

export interface AdministratorInput {
  userId: string;
  resource: { instance: true } | { organizationId: string } | { projectId: string };
  roles: string[];
}

export interface AuthorizationInput {
  userId: string;
  projectId: string;
  orgId: string;
  roleKeys: string[];
}

export interface OidcSettingsInput {
  accessTokenLifetimeSeconds: number;
  idTokenLifetimeSeconds: number;
  refreshTokenIdleSeconds: number;
  refreshTokenLifetimeSeconds: number;
}

export interface SecurityPolicyInput {
  /** Empty: no embedding anywhere. */
  embeddedOrigins: string[];
  enableImpersonation: boolean;
}

export interface User {
  id: string;
  orgId: string;
  kind: "human" | "machine";
  state: "active" | "inactive" | "deleted" | "locked" | "initial" | "unspecified";
  userName: string;
  loginNames: string[];
  preferredLoginName: string;
  /** Humans only. */
  profile?: {
    givenName: string;
    familyName: string;
    displayName: string;
    preferredLanguage?: string;
    email: string;
    emailVerified: boolean;
    /** The password must be changed at the next sign-in. */
    passwordChangeRequired: boolean;
  };
}

export interface WebKey {
  id: string;
  state: "initial" | "active" | "inactive" | "removed";
}

/** Credential: IAM_OWNER. Every `ensure…` reads first and writes only what differs. */
export interface Provisioner {
  ensureOrganization(input: OrganizationInput): Promise<Ensured>;
  ensureDomainPolicy(
    orgId: string,
    policy: { userLoginMustBeDomain: boolean },
  ): Promise<Ensured>;
  ensureProject(input: ProjectInput): Promise<Ensured>;
  /** Adds and renames; removes the project's other roles only with `exact`. */
  ensureRoles(
    projectId: string,
    roles: RoleInput[],
    options?: { exact?: boolean },
  ): Promise<Ensured>;
  /** Throws ZitadelError `non_compliant` (details in `problems`) rather than leave an application that cannot sign in. */
  ensureOidcApplication(input: OidcApplicationInput): Promise<EnsuredApplication>;
  /** Made when missing. What people changed about themselves since stays as they made it. */
  ensureHuman(input: HumanInput): Promise<Ensured>;
  ensureMachine(input: MachineInput): Promise<Ensured>;
  ensureAdministrator(input: AdministratorInput): Promise<Ensured>;
  ensureAuthorization(input: AuthorizationInput): Promise<Ensured>;
  ensureLoginV2(input: { baseUri: string }): Promise<Ensured>;
  ensureOidcSettings(input: OidcSettingsInput): Promise<Ensured>;
  ensureSecurityPolicy(input: SecurityPolicyInput): Promise<Ensured>;
  ensureOrganizationState(orgId: string, state: "active" | "inactive"): Promise<Ensured>;
  ensureUserState(userId: string, state: "active" | "inactive"): Promise<Ensured>;

  getOrganization(id: string): Promise<Organization | null>;
  getDefaultOrganization(): Promise<Organization>;
  getUser(id: string): Promise<User | null>;
  setPassword(
    userId: string,
    password: string,
    options?: { changeRequired?: boolean },
  ): Promise<void>;
  /** The old secret is dead at once. */
  generateClientSecret(projectId: string, applicationId: string): Promise<string>;
  removeApplication(projectId: string, applicationId: string): Promise<void>;
  removeProject(projectId: string): Promise<void>;
  removeUser(userId: string): Promise<void>;
  removeOrganization(orgId: string): Promise<void>;

  listWebKeys(): Promise<WebKey[]>;
  createWebKey(): Promise<string>;
  activateWebKey(id: string): Promise<void>;
  removeWebKey(id: string): Promise<void>;

  /** An Actions target that is told of events as they happen: `signingKey` is shown by ZITADEL at every read. */
  ensureEventHint(
    input: { name: string; endpoint: string; timeoutMs: number; eventGroups: string[] },
  ): Promise<Ensured & { signingKey: string }>;
}

export interface AuthRequest {
  id: string;
  clientId: string;
  scopes: string[];
  redirectUri: string;
  prompts: ("none" | "login" | "consent" | "select_account" | "create")[];
  uiLocales: string[];
  loginHint?: string;
  maxAgeSeconds?: number;
  hintUserId?: string;
  /** From the scope urn:zitadel:iam:org:id:{id}. */
  orgId?: string;
}

export interface UserAgent {
  fingerprintId?: string;
  ip?: string;
  description?: string;
}

export interface SessionToken {
  sessionId: string;
  /** Each setSession makes a new one and kills the old. */
  sessionToken: string;
}

export interface Session {
  id: string;
  createdAt: string;
  expiresAt?: string;
  user?: { id: string; orgId: string; loginName: string; displayName: string; verifiedAt: string };
  /** When the password was checked; absent: it never was. */
  passwordVerifiedAt?: string;
  /** Second factors and passkeys, when checked. */
  otherFactors: {
    kind: "web_authn" | "intent" | "totp" | "otp_sms" | "otp_email" | "recovery_code";
    verifiedAt: string;
  }[];
}

export interface LoginSettings {
  allowLocalAuthentication: boolean;
  allowRegister: boolean;
  allowExternalIdp: boolean;
  forceMfa: boolean;
  forceMfaLocalOnly: boolean;
  hidePasswordReset: boolean;
  ignoreUnknownUsernames: boolean;
  allowDomainDiscovery: boolean;
  disableLoginWithEmail: boolean;
  disableLoginWithPhone: boolean;
  /** How long a session lives after a password check. */
  passwordCheckLifetimeSeconds: number;
  mfaInitSkipLifetimeSeconds: number;
}

export interface LockoutSettings {
  /** 0: never locked. */
  maxPasswordAttempts: number;
}

export type AuthenticationMethod =
  | "password"
  | "passkey"
  | "idp"
  | "totp"
  | "u2f"
  | "otp_sms"
  | "otp_email"
  | "recovery_code";

/** Credential: IAM_LOGIN_CLIENT. ZITADEL checks no policy in the session API: the caller must, before createCallback. */
export interface LoginClient {
  getAuthRequest(id: string): Promise<AuthRequest>;
  /** At most two, so that a caller can tell one from several. Matches any login name, then e-mail where policy allows. */
  findUsers(input: { orgId: string; loginName: string; byEmail?: boolean }): Promise<User[]>;
  getUser(id: string): Promise<User | null>;
  /** What a throw says about the user: `signInRefusal` in sign_in.ts; of a wrong password `failedAttempts`. */
  createSession(
    input: { userId: string; password?: string; lifetimeSeconds: number; userAgent?: UserAgent },
  ): Promise<SessionToken>;
  setSession(
    input: { sessionId: string; password?: string; lifetimeSeconds?: number },
  ): Promise<SessionToken>;
  /** With a token, a wrong one is refused. */
  getSession(input: { sessionId: string; sessionToken?: string }): Promise<Session>;
  deleteSession(input: { sessionId: string; sessionToken?: string }): Promise<void>;
  loginSettings(orgId: string): Promise<LoginSettings>;
  lockoutSettings(orgId: string): Promise<LockoutSettings>;
  authenticationMethods(userId: string): Promise<AuthenticationMethod[]>;
  /** Once only: the second call throws COMMAND-Sx208nt. `session` or `error`, never both. */
  createCallback(
    authRequestId: string,
    outcome: SessionToken | { error: CallbackError; description?: string },
  ): Promise<{ callbackUrl: string }>;
  /** Refused for users of the platform organization, before ZITADEL is asked: code `platform_user_refused`. */
  setPassword(
    input: {
      userId: string;
      newPassword: string;
      currentPassword?: string;
      verificationCode?: string;
    },
  ): Promise<void>;
}

export type CallbackError =
  | "access_denied"
  | "login_required"
  | "interaction_required"
  | "account_selection_required"
  | "server_error"
  | "temporarily_unavailable";

/** One event of ZITADEL's store. The payload holds only fields on event_fields.ts's list for its type. */
export interface ZitadelEvent {
  aggregateType: string;
  aggregateId: string;
  /** Counts within its aggregate only; as text. */
  sequence: string;
  type: string;
  /** RFC 3339 with microseconds; text, because a JavaScript Date would round it. */
  createdAt: string;
  /** An organization, or the instance. */
  resourceOwner: string;
  editorUserId: string;
  payload: Record<string, unknown>;
}

export interface EventPage {
  events: ZitadelEvent[];
  /** `createdAt` of the last event, or the `from` asked for. Poll again from here minus an overlap of at least 30 s. */
  nextFrom: string | null;
  /** The page was full: there may be more. */
  full: boolean;
}

/** Credential: IAM_OWNER_VIEWER. */
export interface EventReader {
  /** Ascending, strictly after `from`; at most 1000 (default 500). */
  listEvents(
    input: {
      from?: string | null;
      limit?: number;
      aggregateTypes?: string[];
      eventTypes?: string[];
    },
  ): Promise<EventPage>;
}
